"""How customers are told of promises, in their own language."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from domain.sla.promise import PromiseKind
from domain.vocabulary import Language, Named


class Both(NamedTuple):
    """The same in Chinese and in English."""

    zh: str
    en: str

    def said(self, language: Language) -> str:
        """Say it in that language."""
        return self.zh if language is Language.ZH else self.en


PROMISED: Mapping[PromiseKind, Both] = {
    PromiseKind.RESPONSE: Both("我们将在{}前与您联系", "we will contact you by {}"),
    PromiseKind.VERIFICATION: Both(
        "我们将在{}前告诉您核实结果", "you will have our findings by {}"
    ),
    PromiseKind.SURVEY: Both("我们将在{}前到现场勘察", "we will survey the site by {}"),
    PromiseKind.QUOTATION: Both("我们将在{}前给您报价", "we will send you a quotation by {}"),
    PromiseKind.CONFIRMATION: Both("请您在{}前答复报价", "please answer the quotation by {}"),
    PromiseKind.APPROVAL: Both("我们将在{}前给您最后确认", "we will confirm it by {}"),
    PromiseKind.RESOLUTION: Both("预计{}前给您结果", "you can expect the result by {}"),
    PromiseKind.REMEDY: Both(
        "我们将在{}前兑现补偿", "you will have what we agreed to make up for it by {}"
    ),
    PromiseKind.REPLY: Both(
        "我们将在{}前打电话告诉您结果", "we will call you with the result by {}"
    ),
    PromiseKind.CALLBACK: Both("我们会在{}前打电话向您回访", "we will call you by {}"),
    PromiseKind.CUSTOMER_TEST: Both("请您在{}前答复我们", "please answer us by {}"),
    PromiseKind.EVALUATION: Both("请您在{}前为我们评分", "please score us by {}"),
}
"""What a message says to a customer of a promise; the others are between ourselves."""


def in_both(called: Named) -> str:
    """Say a name in Chinese and English, once if it is the same."""
    return " ".join(dict.fromkeys(called.both))
