"""What a text is found by, and what a question is looked up by (R29): the one place that knows.

Chinese is written without spaces, and core PostgreSQL takes a whole sentence for one word. So a run
of Chinese is cut into overlapping pairs of characters; words of letters and digits stay whole, and
are found by their parts too.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from itertools import pairwise

_HAN_AND_KANA = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff"
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_WORD = rf"(?:(?![_{_HAN_AND_KANA}])\w)+"
_PIECE = re.compile(rf"[{_HAN_AND_KANA}]+|{_WORD}(?:[-._]{_WORD})*")
_PART = re.compile(r"\d+|[^\W\d_]+|[^\W_]")
_CHINESE = re.compile(rf"[{_HAN_AND_KANA}]")
_JOINED = 4
"""Parts of a model number that are also found written as one: more would be a sentence."""
_MOST_ASKED = 100
"""Terms of a question. Whoever pastes a whole letter has said by then what it is about."""
_MOST_WORDS = 8
_LONGEST = 64
"""Characters of a term. PostgreSQL allows 2,046 bytes; nobody types either."""

_SAYING_NOTHING = re.compile(
    "请问|怎么回事|怎么办|怎么样|怎么|怎样|如何|为什么|什么|哪里|多少|是不是|有没有|能不能|可不可以"
    "|我们|你们|他们|客户|用户|一下|一直|已经|现在|今天|昨天|早上|上午|下午|可以|需要|应该|解决|处理"
    "|问题|原因|出现|情况|之后|以后|然后|但是|因为|所以|还是|就是|不是|没有|[这那]个|[这那一]台"
    "|[的了吗呢吧啊请]"
)
"""What questions are wrapped in, and cases are not told apart by."""


def normalised(text: str) -> str:
    """Write one way what can be written in several: ``ＳＴ－１００`` as ``st-100``."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def stored_terms(text: str) -> list[str]:
    """Everything a text is found by, in its order and as often as it comes.

    Terms hold letters and digits only, whatever the text does. Each character of a run of Chinese
    begins one, so that a single character is found as the beginning of a term.
    """
    terms: list[str] = []
    for piece in _PIECE.findall(normalised(text)):
        if _CHINESE.match(piece):
            terms += (piece[at : at + 2] for at in range(len(piece)))
        else:
            terms += _of_word(piece)
    return terms


def asked_terms(question: str) -> list[str]:
    """What a question is looked up by, each term once. Words that say nothing, and characters that
    stand alone, are left out unless the question has no others.
    """
    text = normalised(question)
    said = _asked(_SAYING_NOTHING.sub(" ", text))
    terms = [term for term in said if len(term) > 1] or said or _asked(text)
    return list(dict.fromkeys(terms))[:_MOST_ASKED]


def asked_words(question: str) -> list[list[str]]:
    """What is looked for by words that are set apart: the terms of each, which stand in one text
    together. Words that say nothing are left out unless the question has no others.
    """
    words = normalised(question).split()[:_MOST_WORDS]
    telling = [_telling(_SAYING_NOTHING.sub(" ", word)) for word in words]
    found = [terms for terms in telling if terms] or [asked_terms(word) for word in words]
    return [terms for terms in found if terms]


def _telling(text: str) -> list[str]:
    return list(dict.fromkeys(term for term in _asked(text) if len(term) > 1))[:_MOST_ASKED]


def stands_alone(term: str) -> bool:
    """Say whether an asked term is a single Chinese character: wherever one stands, it begins a
    stored term.
    """
    return len(term) == 1 and bool(_CHINESE.match(term))


def enough(asked: int) -> int:
    """Say how many of so many asked terms a case must have: more than a fifth, which keeps out what
    shares a single pair with a sentence; of a long question four will do.
    """
    return min(asked // 5 + 1, 4)


def as_written(terms: Iterable[str]) -> list[str]:
    """Put pairs that overlap together again, for people to read: 出钞, 钞口 as 出钞口."""
    words: list[str] = []
    for term in terms:
        if words and _CHINESE.match(term) and words[-1][-1] == term[0]:
            words[-1] += term[1:]
        else:
            words.append(term)
    return words


def _asked(text: str) -> list[str]:
    terms: list[str] = []
    for piece in _PIECE.findall(text):
        if _CHINESE.match(piece):
            terms += map("".join, pairwise(piece)) if len(piece) > 1 else piece
        else:
            terms += _of_word(piece)
    return terms


def _of_word(word: str) -> Iterator[str]:
    """``st-100``: st100, st, 100; so whoever leaves out the hyphen or half of it finds it too."""
    parts = _PART.findall(word)
    for first in range(len(parts)):
        for end in range(first + 1, min(first + _JOINED, len(parts)) + 1):
            term = "".join(parts[first:end])[:_LONGEST]
            if len(term) > 1 or len(parts) == 1:
                yield term
