"""What an issue is called to its customer, and what is said of its course and its end: a fault is
tried and solved, a complaint dealt with, a suggestion or an enquiry answered, work accepted.

As data, by what is done about its kind (R3, R37).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from domain.for_customers.saying import Both
from domain.vocabulary import Behaviour, Language


class Matter(NamedTuple):
    """The words for one sort of matter. Places ``{}`` take an instant as it is written."""

    called: Both
    thanks: Both
    """Said first when it is registered; may be nothing."""
    begun: Both
    """What the hotline does before it answers or passes it on (R8, R36)."""
    done: Both
    """Said of it once it is dealt with."""
    result: Both
    """Stands before what the handler says came of it."""
    finish: Both
    """What we do by an instant."""
    asked: Both
    """What the customer is asked to do within their time, and what silence means (R9, R17)."""
    asked_briefly: Both
    unasked: Both
    """The same where silence means nothing."""
    is_well: Both
    """Asked when their time is nearly over."""
    silence: Both
    """What silence means, after "if we hear nothing"."""
    silence_briefly: Both
    again: Both
    """Why it is taken up once more."""
    judged: Both
    """What the customer is asked on their page; the next two answer it."""
    well: Both
    unwell: Both


_FAULT = Matter(
    called=Both("问题", "issue"),
    thanks=Both("", "thank you for telling us."),
    begun=Both("热线正在为您查找答案", "our hotline is looking for the answer"),
    done=Both("已处理完成", "has been resolved"),
    result=Both("处理结果", "What was done"),
    finish=Both("处理完成", "finish"),
    asked=Both(
        "请您试一试，并在{}前告诉我们是否正常；逾期未回复，视为已解决。",
        "Please try it and tell us by {} whether it works; if we hear nothing, it counts as"
        " solved.",
    ),
    asked_briefly=Both(
        "请在{}前告知是否正常，逾期视为解决",
        "Please try it and tell us by {} if it works; silence counts as solved",
    ),
    unasked=Both("如仍有问题，请随时告诉我们。", "Please tell us if anything is still wrong."),
    is_well=Both("解决了吗？", "Is it solved?"),
    silence=Both("视为已解决", "it counts as solved"),
    silence_briefly=Both("视为解决", "silence counts as solved"),
    again=Both("上次未能真正解决", "was not really solved"),
    judged=Both("好了吗？", "Does it work now?"),
    well=Both("好了", "Yes, it works"),
    unwell=Both("没有好，请再派人处理", "No, please send somebody again"),
)
_COMPLAINT = Matter(
    called=Both("投诉", "complaint"),
    thanks=Both("给您带来不便，我们深表歉意。", "we are sorry for the trouble."),
    begun=Both("热线正在为您办理", "our hotline is seeing to it"),
    done=Both("已处理完毕", "has been dealt with"),
    result=Both("处理结果", "The outcome"),
    finish=Both("给您结果", "give you the outcome"),
    asked=Both(
        "如您对处理结果还有不同意见，请在{}前告诉我们；逾期未回复，视为您认可处理结果。",
        "If you see it differently, please tell us by {}; if we hear nothing, we take it that you"
        " accept the outcome.",
    ),
    asked_briefly=Both(
        "如有不同意见请在{}前告知，逾期视为认可",
        "If you see it differently, tell us by {}; silence counts as consent",
    ),
    unasked=Both(
        "如您对处理结果还有不同意见，请随时告诉我们。", "If you see it differently, please tell us."
    ),
    is_well=Both("的处理结果您认可吗？", "Do you accept the outcome?"),
    silence=Both("视为您认可处理结果", "we take it that you do"),
    silence_briefly=Both("视为认可", "silence counts as yes"),
    again=Both("上次未能妥善处理", "was not dealt with as it should be"),
    judged=Both("处理结果您认可吗？", "Do you accept the outcome?"),
    well=Both("认可", "Yes, I do"),
    unwell=Both("不认可，请再处理", "No, please look into it again"),
)
_WORK = Matter(
    called=Both("服务项目", "service request"),
    thanks=Both("感谢您选择我们的服务。", "thank you for your request."),
    begun=Both("热线正在为您办理", "our hotline is seeing to it"),
    done=Both("已完工", "is done"),
    result=Both("完成情况", "What was done"),
    finish=Both("完工", "finish"),
    asked=Both(
        "请您验收，并在{}前告诉我们是否接受；逾期未回复，视为验收通过。",
        "Please tell us by {} whether you accept it; if we hear nothing, it counts as accepted.",
    ),
    asked_briefly=Both(
        "请在{}前验收答复，逾期视为通过",
        "Please tell us by {} if you accept it; silence counts as yes",
    ),
    unasked=Both(
        "如有不满意的地方，请随时告诉我们。", "Please tell us if anything is not as it should be."
    ),
    is_well=Both("的工作可以验收吗？", "Do you accept the work?"),
    silence=Both("视为验收通过", "it counts as accepted"),
    silence_briefly=Both("视为通过", "silence counts as yes"),
    again=Both("上次完成的工作未能让您满意", "was not done as you wanted"),
    judged=Both("您验收吗？", "Do you accept the work?"),
    well=Both("验收通过", "Yes, I accept it"),
    unwell=Both("还不行，请再来处理", "No, please put it right"),
)
_ENQUIRY = Matter(
    called=Both("咨询", "enquiry"),
    thanks=Both("感谢您的咨询。", "thank you for asking."),
    begun=Both("热线正在为您查找答案", "our hotline is looking for the answer"),
    done=Both("已有答复", "has been answered"),
    result=Both("我们的答复", "Our answer"),
    finish=Both("答复您", "answer it"),
    asked=Both(
        "如还有疑问，请在{}前告诉我们；逾期未回复，视为没有其他疑问。",
        "If anything is still unclear, please tell us by {}; if we hear nothing, we take it that"
        " all is clear.",
    ),
    asked_briefly=Both(
        "如有疑问请在{}前告知，逾期视为清楚",
        "If anything is unclear, tell us by {}; silence counts as clear",
    ),
    unasked=Both("如还有疑问，请随时告诉我们。", "Please tell us if anything is still unclear."),
    is_well=Both("的答复清楚吗？", "Is our answer clear?"),
    silence=Both("视为没有其他疑问", "we take it that all is clear"),
    silence_briefly=Both("视为清楚", "silence counts as yes"),
    again=Both("上次的答复未能解决您的疑问", "was not answered as it should be"),
    judged=Both("我们的答复清楚吗？", "Is our answer clear?"),
    well=Both("清楚了", "Yes, it is"),
    unwell=Both("还有疑问，请再答复", "No, please answer again"),
)
_SUGGESTION = _ENQUIRY._replace(
    called=Both("建议", "suggestion"),
    thanks=Both("感谢您的宝贵建议。", "thank you for your suggestion."),
    begun=Both("热线正在为您办理", "our hotline is seeing to it"),
    asked=Both(
        "如您还有其他想法，请在{}前告诉我们；逾期未回复，视为没有其他想法。",
        "If you would like to add something, please tell us by {}; if we hear nothing, we take it"
        " that there is nothing more.",
    ),
    asked_briefly=Both(
        "如有其他想法请在{}前告知", "If you would like to add something, tell us by {}"
    ),
    unasked=Both(
        "如您还有其他想法，欢迎随时告诉我们。", "Please tell us if you would like to add something."
    ),
    is_well=Both("，您还有其他想法吗？", "Would you like to add something?"),
    silence=Both("视为没有其他想法", "we take it that there is nothing more"),
    silence_briefly=Both("视为没有", "silence counts as no"),
    again=Both("上次的答复未能让您满意", "was not answered as it should be"),
    judged=Both("您还有其他想法吗？", "Would you like to add something?"),
    well=Both("没有了", "No, that is all"),
    unwell=Both("还有，请再答复", "Yes, please answer again"),
)
_PLAIN = _ENQUIRY._replace(
    called=Both("事项", "request"),
    thanks=Both("感谢您与我们联系。", "thank you for contacting us."),
    begun=Both("热线正在为您办理", "our hotline is seeing to it"),
)

_MATTERS: Mapping[Behaviour, Matter] = {
    Behaviour.FAULT: _FAULT,
    Behaviour.COMPLAINT: _COMPLAINT,
    Behaviour.PAID_SERVICE: _WORK,
    Behaviour.ENQUIRY: _ENQUIRY,
    Behaviour.SUGGESTION: _SUGGESTION,
    Behaviour.PLAIN: _PLAIN,
}


def matter(behaves: Behaviour) -> Matter:
    """Return the words for an issue of a kind that behaves so."""
    return _MATTERS[behaves]


def told(behaves: Behaviour, language: Language) -> dict[str, str]:
    """Return them in that language, by the fields of `Matter`."""
    both: tuple[Both, ...] = matter(behaves)
    return {name: each.said(language) for name, each in zip(Matter._fields, both, strict=True)}


def about(called: str, number: str, title: str, against: str | None, language: Language) -> str:
    """Say which matter is meant. One that the desk itself registered against another (R21) has a
    title that is ours, so it is called by what it is against; one whose words are told to nobody
    has its number for a title.
    """
    zh = language is Language.ZH
    if against:
        return f"您就 {against} 提出的{called}" if zh else f"your {called} about {against}"
    if title == number:
        return f"您的{called}" if zh else f"your {called}"
    return f"您的{called}“{title}”" if zh else f"your {called} “{title}”"
