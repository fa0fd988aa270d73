"""Where an issue stands, in words for its customer: a sentence for every stage and situation.

What nobody tells customers (whom the desk asked besides, how high the issue rose) is no situation
here. Everything is told by what the register alone has of an issue.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import chain
from typing import NamedTuple

from domain.for_customers.saying import Both
from domain.issue.state import Issue
from domain.sla.promise import PromiseEnd, PromiseKind
from domain.terms import Terms
from domain.vocabulary import Behaviour, Language, Outcome, Stage

STAFF_NUMBER = re.compile(r"[A-Za-z]{0,3}-?\d{2,}", re.ASCII)
"""What an id on the roster looks like that is a staff number, and not somebody's name."""


def _always(_: Issue) -> bool:
    return True


def _again(issue: Issue) -> bool:
    return issue.generation > 1


def _outside(issue: Issue) -> bool:
    return issue.intake.out_of_scope


def _complaint(issue: Issue) -> bool:
    return issue.intake.behaviour is Behaviour.COMPLAINT


def _runs(issue: Issue) -> bool:
    """Whether there is something that runs, or does not (R24)."""
    return issue.intake.behaviour is Behaviour.FAULT


def _tried(issue: Issue) -> bool:
    """R9: the hotline's answer is one to be tried out."""
    return _of_the_hotline(issue) and _runs(issue)


def _runs_again(issue: Issue) -> bool:
    return _to_try(issue) and _runs(issue)


def _called_about_it(issue: Issue) -> bool:
    return _to_be_called(issue) and _runs(issue)


def _not_solved(issue: Issue) -> bool:
    return _again(issue) and _runs(issue)


def _solved(issue: Issue) -> bool:
    return issue.outcome is Outcome.SOLVED and _runs(issue)


def _of_the_hotline(issue: Issue) -> bool:
    """R9: what is to be tried is the hotline's answer."""
    return issue.first_contact and _to_try(issue)


def _to_accept(issue: Issue) -> bool:
    """R17: what is to be tried is work that was paid for."""
    return issue.intake.behaviour is Behaviour.PAID_SERVICE and _to_try(issue)


def _to_try(issue: Issue) -> bool:
    return issue.promise(PromiseKind.CUSTOMER_TEST) is not None


def _to_be_called(issue: Issue) -> bool:
    return issue.promise(PromiseKind.CALLBACK) is not None


def _to_be_told(issue: Issue) -> bool:
    """R34: their agent calls them with the answer."""
    return issue.promise(PromiseKind.REPLY) is not None


def _written_after(issue: Issue) -> bool:
    """R17, R24: they wrote after our answer, or to our quotation, and nobody has seen to it yet."""
    return issue.promise(PromiseKind.FEEDBACK) is not None


def _held(issue: Issue) -> bool:
    """R8, R36: the hotline has it, nobody was sent."""
    return issue.promise(PromiseKind.HAND_OVER) is not None


def _looked_for(issue: Issue) -> bool:
    """R8: the hotline looks for the answer to a question."""
    return _held(issue) and issue.intake.behaviour in {Behaviour.FAULT, Behaviour.ENQUIRY}


def _kept_back(issue: Issue) -> bool:
    """R35: the hotline goes on with it, as they wish."""
    return issue.kept_back


def _agreed(issue: Issue) -> bool:
    """R17: they said yes to the quotation."""
    return _done(issue, PromiseKind.CONFIRMATION)


def _justified(issue: Issue) -> bool:
    """R19: the complaint was looked into, and goes on."""
    return _done(issue, PromiseKind.VERIFICATION)


def _done(issue: Issue, kind: PromiseKind) -> bool:
    return any(
        each.kind is kind and each.generation == issue.generation and not each.running
        for each in issue.promises
        if each.end is not PromiseEnd.WITHDRAWN
    )


def _ended(outcome: Outcome) -> Callable[[Issue], bool]:
    return lambda issue: issue.outcome is outcome


class Sentence(NamedTuple):
    """What is said of a stage if ``fits`` holds, and none before it did."""

    fits: Callable[[Issue], bool]
    said: Both


ENDED: Mapping[Outcome, Both] = {
    Outcome.SOLVED: Both("此事已经办结。谢谢您。", "It is done and closed. Thank you."),
    Outcome.NOT_REACHED: Both(
        "已经处理完毕。我们几次打电话给您都没有联系上，先结束此事；如果还有需要，请告诉我们。",
        "It has been dealt with. We called several times and could not reach you, so we have closed"
        " it; if you need anything more, please tell us.",
    ),
    Outcome.UNFOUNDED: Both(
        "我们认真核实了您说的情况，就目前了解到的没有发现差错，已向您说明，此事已结束。"
        "让您费心了，很抱歉。",
        "We looked carefully into what you told us and, as far as we know, found no mistake; we"
        " have explained it to you and closed it. We are sorry for the trouble you had.",
    ),
    Outcome.OUT_OF_SCOPE: Both(
        "此事已由{department}答复您，现已结束。如还有疑问，请告诉我们。",
        "You have the answer of {department}, and it is closed. If anything is still unclear,"
        " please tell us.",
    ),
    Outcome.DECLINED: Both(
        "按您的意愿，此事已结束，不收任何费用。以后如有需要，请随时联系我们。",
        "You did not want the work we offered, so it is closed and costs you nothing. Please come"
        " back to us any time.",
    ),
    Outcome.NOT_APPROVED: Both(
        "很抱歉，这项服务目前暂时无法安排，不收任何费用。如仍有需要，请致电我们，一起商量其他办法。",
        "We are sorry that this is not possible for now; it costs you nothing. If you still need"
        " it, please call us, and we will look for another way together.",
    ),
    Outcome.LAPSED: Both(
        "报价到期没有收到您的答复，已经失效，不收任何费用。如果还需要，请告诉我们，我们重新报价。",
        "We had no answer to our quotation in time, so it has lapsed and costs you nothing. If you"
        " still want the work, please tell us and we will quote again.",
    ),
    Outcome.WITHDRAWN: Both(
        "此事已撤销。如果这不是您的意思，请告诉我们，我们马上继续。",
        "It was withdrawn, and no more work is done on it. If this is not what you wanted, please"
        " tell us.",
    ),
    Outcome.MERGED: Both(
        "此事与另一件相同的事一并处理，进展和结果会同样告诉您。",
        "It is handled together with another issue that is about the same; you hear of all progress"
        " and of the result just as well.",
    ),
    **dict.fromkeys(
        (Outcome.CANCELLED, Outcome.TERMINATED),
        Both(
            "很抱歉，此事的处理中断了。请致电我们，我们马上重新安排。",
            "We are sorry: work on this was broken off. Please call us, and we will take it up"
            " again at once.",
        ),
    ),
}
"""How it ended."""

_OUTSIDE = Both(
    "此事由{department}负责，我们已为您转交，由他们答复您。",
    "This is for {department} to answer: we have passed it on to them, and they will answer you.",
)
_TRY_THE_ANSWER = Both(
    "热线已经答复了您。请按答复试一试，告诉我们有没有用。",
    "Our hotline has answered you. Please try it, and tell us whether it helped.",
)
_ANSWERED = Both(
    "热线已经答复您。如还有疑问，请告诉我们。",
    "Our hotline has answered you. If anything is still unclear, please tell us.",
)
_DONE = Both("已经处理完毕。", "It has been dealt with.")
_TO_ACCEPT = Both("工作已经完成，请您验收。", "The work is done. Please see whether you accept it.")
_TO_TRY = Both(
    "已经处理完成。请您试用，告诉我们是否正常。",
    "The work is done. Please try it, and tell us whether all is well.",
)
_TO_JUDGE = Both(
    "已经处理完毕。如您还有疑问或不同意见，请告诉我们。",
    "It has been dealt with. If anything is still unclear, or you see it differently, please tell"
    " us.",
)
_TO_BE_HEARD = Both(
    "已经处理完毕。我们会打电话给您，听取您的意见。",
    "It has been dealt with. We will call you to hear what you think.",
)
_TO_BE_CALLED = Both(
    "已经处理完成。我们会打电话给您，问问是否一切正常。",
    "The work is done. We will call you to ask whether all is well.",
)
_HEARD = Both(
    "我们收到了您写的话，正在看，会尽快与您联系。",
    "We have what you wrote, are looking into it, and will contact you soon.",
)
_AFTER = (
    Sentence(_written_after, _HEARD),
    Sentence(_tried, _TRY_THE_ANSWER),
    Sentence(_of_the_hotline, _ANSWERED),
    Sentence(_to_accept, _TO_ACCEPT),
    Sentence(_runs_again, _TO_TRY),
    Sentence(_to_try, _TO_JUDGE),
    Sentence(_called_about_it, _TO_BE_CALLED),
    Sentence(_to_be_called, _TO_BE_HEARD),
)

_KEPT = Both(
    "按您的意愿，此事不转给其他同事，由热线为您处理。",
    "As you wish, it is not passed on: our hotline deals with it.",
)

STANDS: Mapping[Stage, tuple[Sentence, ...]] = {
    Stage.REGISTERED: (
        Sentence(_kept_back, _KEPT),
        Sentence(_outside, _OUTSIDE),
        Sentence(
            _looked_for,
            Both(
                "已经登记，热线正在为您查找答案。",
                "It is registered, and our hotline is looking for the answer.",
            ),
        ),
        Sentence(
            _held,
            Both(
                "已经登记，热线正在为您办理。",
                "It is registered, and our hotline is seeing to it.",
            ),
        ),
        Sentence(
            _always,
            Both(
                "已经登记。目前没有值班人员，已交负责人安排。",
                "It is registered. Nobody who could take it is on duty now, so those in charge have"
                " it.",
            ),
        ),
    ),
    Stage.ASSIGNED: (
        Sentence(_outside, _OUTSIDE),
        Sentence(
            _not_solved,
            Both(
                "很抱歉，上次没有真正解决您的问题。已经重新安排专人，即将开始处理。",
                "We are sorry that it was not really solved. Somebody has been asked to deal with"
                " it again, and will start soon.",
            ),
        ),
        Sentence(
            _again,
            Both(
                "很抱歉，上次的处理没有让您满意。已经重新安排专人，即将开始处理。",
                "We are sorry that it was not dealt with as it should be. Somebody has been asked"
                " to deal with it again, and will start soon.",
            ),
        ),
        Sentence(
            _complaint,
            Both(
                "您的投诉已交专人，即将开始核实。给您带来不便，很抱歉。",
                "Your complaint has been given to somebody who will look into it soon. We are sorry"
                " for the trouble.",
            ),
        ),
        Sentence(
            _always,
            Both(
                "已经安排专人，即将开始处理。",
                "Somebody has been asked to deal with it, and will start soon.",
            ),
        ),
    ),
    Stage.IN_PROGRESS: (
        Sentence(_outside, _OUTSIDE),
        Sentence(
            _not_solved,
            Both(
                "很抱歉，上次没有真正解决您的问题。我们正在重新处理。",
                "We are sorry that it was not really solved. We are working on it again.",
            ),
        ),
        Sentence(
            _again,
            Both(
                "很抱歉，上次的处理没有让您满意。我们正在重新处理。",
                "We are sorry that it was not dealt with as it should be. We are working on it"
                " again.",
            ),
        ),
        Sentence(
            _agreed,
            Both(
                "您已同意报价，工作正在进行。",
                "You agreed to our quotation, and the work is going on.",
            ),
        ),
        Sentence(
            _justified,
            Both(
                "您的投诉经核实属实，我们向您道歉，正在解决。",
                "Your complaint is justified. We are sorry, and are putting it right.",
            ),
        ),
        Sentence(_always, Both("正在处理。", "We are working on it.")),
    ),
    Stage.VERIFYING: (
        Sentence(
            _always,
            Both(
                "我们正在核实您说的情况，核实后告诉您结果。",
                "We are looking into what you told us, and will tell you what we find.",
            ),
        ),
    ),
    Stage.SURVEYING: (
        Sentence(
            _always,
            Both(
                "我们正在安排到现场勘察，勘察后给您报价。",
                "We are arranging to look at the site; after that you will have our quotation.",
            ),
        ),
    ),
    Stage.QUOTING: (
        Sentence(
            _always,
            Both(
                "现场已经勘察，正在为您准备报价。",
                "We have looked at the site and are preparing your quotation.",
            ),
        ),
    ),
    Stage.CONFIRMING: (
        Sentence(_written_after, _HEARD),
        Sentence(
            _always,
            Both(
                "报价已经发给您，等您答复。您同意以后我们才开始。",
                "You have our quotation, and we wait for your answer. We begin only if you agree.",
            ),
        ),
    ),
    Stage.APPROVING: (
        Sentence(
            _always,
            Both(
                "您已同意报价。我们正在做最后确认，确认后马上开始。",
                "You agreed to our quotation. We are confirming it on our side, and then begin at"
                " once.",
            ),
        ),
    ),
    Stage.WAITING: (
        Sentence(
            _always,
            Both(
                "轮到您了：需要您配合，我们才能继续。",
                "It is your turn: we need your help before we can go on.",
            ),
        ),
    ),
    Stage.RESOLVED: (
        Sentence(_written_after, _HEARD),
        Sentence(
            _to_be_told,
            Both(
                "已经有了结果，受理您问题的热线工程师会打电话告诉您。",
                "We have the result. The agent who took your issue in will call you with it.",
            ),
        ),
        *_AFTER[1:],
        Sentence(
            _always,
            Both("我们的答复已经写好，正在发给您。", "Our answer is on its way to you."),
        ),
    ),
    Stage.REPLIED: (*_AFTER, Sentence(_always, _DONE)),
    Stage.CALLBACK: (
        Sentence(_written_after, _HEARD),
        Sentence(
            _runs,
            Both(
                "已经处理完成。我们打电话想问问是否正常，没有联系上您，会再打给您。",
                "The work is done. We called to ask whether all is well and could not reach you; we"
                " will call again.",
            ),
        ),
        Sentence(
            _always,
            Both(
                "已经处理完毕。我们打电话想听取您的意见，没有联系上您，会再打给您。",
                "It has been dealt with. We called to hear what you think and could not reach you;"
                " we will call again.",
            ),
        ),
    ),
    Stage.REOPENED: (
        Sentence(
            _kept_back,
            Both(
                "很抱歉，我们的答复没能帮到您。按您的意愿，热线继续为您处理。",
                "We are sorry that our answer did not help. As you wish, our hotline goes on with"
                " it.",
            ),
        ),
        Sentence(
            _always,
            Both(
                "很抱歉，上次的处理没有让您满意。目前没有值班人员，已交负责人加急安排。",
                "We are sorry that it was not dealt with as it should be. Nobody who could take it"
                " is on duty now, so those in charge are seeing to it urgently.",
            ),
        ),
    ),
    Stage.CLOSED: (
        Sentence(_written_after, _HEARD),
        Sentence(
            _solved,
            Both("问题已经解决，此事已结束。谢谢您。", "It is solved and closed. Thank you."),
        ),
        *(Sentence(_ended(outcome), said) for outcome, said in ENDED.items()),
    ),
}
"""Of each stage the sentences there are; the first that fits is said."""


_HOTLINE = Both("客服热线", "our hotline")


def every_sentence() -> tuple[Sentence, ...]:
    """All there are."""
    return tuple(chain.from_iterable(STANDS.values()))


def stands(issue: Issue) -> Sentence:
    """Find the sentence that says where an issue stands."""
    return next(each for each in STANDS[issue.stage] if each.fits(issue))


def where_it_stands(issue: Issue, language: Language, terms: Terms) -> str:
    """Say where an issue stands."""
    said = stands(issue).said.said(language)
    return said.format(department=terms.department(issue.department).said(language))


def staff_number(id_: str) -> str | None:
    """Return the number that customers may be told of somebody on the roster, if it is one."""
    return id_ if STAFF_NUMBER.fullmatch(id_) else None


def who_has_it(issue: Issue, language: Language, terms: Terms) -> str:
    """Say by name, and staff number, who handles an issue; else who is in charge, or where."""
    person = issue.engineer or issue.lead
    if issue.kept_back and issue.engineer is None:
        return _HOTLINE.said(language)
    if person is None:
        return terms.department(issue.department).said(language)
    zh = language is Language.ZH
    number = staff_number(person.id)
    if issue.engineer is None:
        known = "负责人" if zh else "in charge"
    else:
        known = "" if number is None else f"工号 {number}" if zh else f"staff no. {number}"
    if not known:
        return person.name
    return f"{person.name}（{known}）" if zh else f"{person.name} ({known})"
