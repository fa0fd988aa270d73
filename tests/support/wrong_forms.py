"""Every form of the regulation that people fill in: the issue that waits for it, a right one, and
what may be wrong with one.
"""

from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

from domain.issue.actions import ActionName
from domain.vocabulary import Actor, Role
from tests.support.harness import AGENT, CLERK, CUSTOMER, LEAD, MANAGER, Handle, StoryDesk

Payload = dict[str, Any]
_MISSING = object()

HANDLER = Actor(id="liang.jiahao", role=Role.ENGINEER)
COLLEAGUE = Actor(id="hu.bin", role=Role.ENGINEER)
LONG = "x" * 10_001
PROPOSED = {
    "remedy": "money",
    "what": "the fare of both visits is given back",
    "amount": "300.00",
    "reason": "nobody came at the time agreed, twice",
}


# --- Issues that wait for a form -----------------------------------------------------------------


async def held(desk: StoryDesk) -> Handle:
    return (await desk.open(answering=True))[0]


async def queued(desk: StoryDesk) -> Handle:
    return (await desk.open(kind="consultation", channel="email"))[0]


async def kept_back(desk: StoryDesk) -> Handle:
    return (await desk.open(consent="no"))[0]


async def answered(desk: StoryDesk) -> Handle:
    handle = await held(desk)
    await desk.do(handle, ActionName.ANSWER, AGENT, solution="hold the button")
    return handle


async def accepted(desk: StoryDesk, **intake: object) -> Handle:
    """An issue that ``HANDLER`` works on, whoever it was given to."""
    handle, view = await desk.open(**intake)
    await desk.accept(handle, view)
    return handle


async def complained(desk: StoryDesk) -> Handle:
    return await accepted(desk, kind="complaint")


async def agitated(desk: StoryDesk) -> Handle:
    return (await desk.open(kind="complaint", agitated=True))[0]


async def owing(desk: StoryDesk) -> Handle:
    handle = await complained(desk)
    await desk.do(handle, ActionName.PROPOSE_REMEDY, HANDLER, **PROPOSED)
    return handle


async def agreed(desk: StoryDesk) -> Handle:
    handle = await owing(desk)
    await desk.do(handle, ActionName.DECIDE_REMEDY, MANAGER, approved=True)
    return handle


async def to_be_paid(desk: StoryDesk) -> Handle:
    return await accepted(desk, kind="paid_service")


async def surveyed(desk: StoryDesk) -> Handle:
    handle = await to_be_paid(desk)
    await desk.do(handle, ActionName.SURVEY, HANDLER, findings="two power lines")
    return handle


async def quoted(desk: StoryDesk) -> Handle:
    handle = await surveyed(desk)
    await desk.do(handle, ActionName.QUOTE, HANDLER, work="wire it", amount="31000.00")
    return handle


async def confirmed(desk: StoryDesk) -> Handle:
    handle = await quoted(desk)
    await desk.do(handle, ActionName.CONFIRM, CUSTOMER, agreed=True)
    return handle


async def to_be_called(desk: StoryDesk) -> Handle:
    handle = await accepted(desk)
    await desk.do(handle, ActionName.RESOLVE, HANDLER, result="card reader replaced")
    await desk.until("2026-09-30 10:00")
    return handle


async def closed(desk: StoryDesk) -> Handle:
    handle = await to_be_called(desk)
    await desk.callback(handle, running=True)
    return handle


# --- What can be wrong with each -----------------------------------------------------------------


class Form(NamedTuple):
    """A form in its place: the issue that waits for it, who fills it in, and right; then what may
    be wrong with it, by what changes, and the words of the refusal; and whose it is not.
    """

    action: ActionName
    waits: Callable[[StoryDesk], Awaitable[Handle]]
    by: Actor
    right: Payload
    wrong: tuple[tuple[Payload, str], ...]
    not_theirs: tuple[Actor, ...]


FORMS = (
    Form(
        ActionName.TAKE,
        queued,
        AGENT,
        {},
        (
            ({"by": _MISSING}, "by: Field required"),
            ({"to": "07"}, "to: Extra inputs are not permitt"),
        ),
        (HANDLER, CUSTOMER),
    ),
    Form(
        ActionName.ANSWER,
        held,
        AGENT,
        {"solution": "hold the button"},
        (
            ({"solution": _MISSING}, "solution: Field required"),
            ({"solution": "   "}, "solution: String should have at least 1 character"),
            ({"solution": LONG}, "solution: String should have at most 10000 characters"),
            ({"solution": 7}, "solution: Input should be a valid string"),
            ({"solution": "nothing\x00"}, "solution: String should match pattern"),
            ({"on_the_line": "perhaps"}, "on_the_line: Input should be a valid boolean"),
            ({"case": "C 1"}, "case: String should match pattern"),
            ({"price": 12}, "price: Extra inputs are not permitted"),
            ({"by": _MISSING}, "by: Field required"),
            ({"by": {"id": "07", "role": "boss"}}, "by.role: Input should be"),
            ({"by": {"role": "agent"}}, "by.id: Field required"),
            ({"at": "2026-09-29T10:00:00"}, "at: Input should have timezone info"),
            ({"at": "yesterday"}, "at: Input should be a valid datetime"),
            ({"at": "2020-01-01T00:00:00Z"}, "lies before the last step"),
            ({"at": "2999-01-01T00:00:00Z"}, "lies in the future"),
        ),
        (HANDLER, CUSTOMER, CLERK),
    ),
    Form(
        ActionName.REPORT_TEST,
        answered,
        CUSTOMER,
        {"worked": True},
        (
            ({"worked": _MISSING}, "worked: Field required"),
            ({"worked": "maybe"}, "worked: Input should be a valid boolean"),
            ({"words": LONG}, "words: String should have at most 10000 characters"),
        ),
        (HANDLER,),
    ),
    Form(
        ActionName.VERIFY,
        complained,
        HANDLER,
        {"verdict": "general", "findings": "came an hour late"},
        (
            ({"verdict": _MISSING}, "verdict: Field required"),
            ({"verdict": "so-so"}, "verdict: Input should be 'unfounded', 'general' or 'major'"),
            ({"findings": ""}, "findings: String should have at least 1 character"),
        ),
        (COLLEAGUE, CUSTOMER, AGENT),
    ),
    Form(
        ActionName.CALM,
        agitated,
        MANAGER,
        {"spoken": "we apologised, they wait for what we find"},
        (
            ({"spoken": _MISSING}, "spoken: Field required"),
            ({"spoken": " "}, "spoken: String should have at least 1 character"),
            ({"spoken": LONG}, "spoken: String should have at most 10000 characters"),
        ),
        (HANDLER, CUSTOMER, AGENT),
    ),
    Form(
        ActionName.TRANSFER,
        accepted,
        HANDLER,
        {"to": "software_development", "reason": "its firmware"},
        (
            ({"to": _MISSING}, "to: Field required"),
            ({"to": "the other one"}, "to: String should match pattern"),
            ({"reason": ""}, "reason: String should have at least 1 character"),
            ({"consent": "no"}, "was passed on already; with a no nobody else gets it"),
        ),
        (COLLEAGUE, CUSTOMER),
    ),
    Form(
        ActionName.REASSIGN,
        kept_back,
        AGENT,
        {"reason": "they agree now", "consent": "yes", "consent_words": "all right then"},
        (
            ({"consent": "perhaps"}, "consent: Input should be 'yes', 'no' or 'not_asked'"),
            ({"consent": _MISSING}, "consent: say what the customer's words mean"),
            ({"consent": "not_asked"}, "consent: the customer of "),
            ({"consent_words": LONG}, "consent_words: String should have at most 10000 characters"),
            ({"reason": ""}, "reason: String should have at least 1 character"),
        ),
        (CUSTOMER, COLLEAGUE),
    ),
    Form(
        ActionName.CONSULT,
        accepted,
        HANDLER,
        {"question": "is the board gone?", "experts": ["ye.zihan"]},
        (
            ({"question": ""}, "question: give either the question for the panel, or its advice"),
            ({"advice": "change it"}, "question: give either the question"),
            ({"question": "", "advice": "change it"}, "experts: they are named with the question"),
            ({"experts": ["ye.zihan", "ye.zihan"]}, "experts: ye.zihan is named twice"),
            ({"experts": [f"e{n}" for n in range(21)]}, "experts: Tuple should have at most 20"),
            ({"experts": "ye.zihan"}, "experts: Input should be a valid tuple"),
            ({"experts": ["ye zihan"]}, "experts.0: String should match pattern"),
        ),
        (COLLEAGUE, CUSTOMER),
    ),
    Form(
        ActionName.SURVEY,
        to_be_paid,
        HANDLER,
        {"findings": "two power lines"},
        (
            ({"findings": _MISSING}, "findings: Field required"),
            ({"findings": "\n"}, "findings: String should have at least 1 character"),
        ),
        (COLLEAGUE, CUSTOMER),
    ),
    Form(
        ActionName.QUOTE,
        surveyed,
        HANDLER,
        {"work": "wire it", "amount": "12800.00"},
        (
            ({"amount": _MISSING}, "amount: Field required"),
            ({"amount": "12.345"}, "amount: Decimal input should have no more than 2 decimal"),
            ({"amount": 12.345}, "amount: Decimal input should have no more than 2 decimal"),
            ({"amount": "-1"}, "amount: Input should be greater than or equal to 0"),
            ({"amount": "12345678901.00"}, "amount: Decimal input should have no more than 1"),
            ({"amount": "NaN"}, "amount: Input should be a finite number"),
            ({"amount": "a lot"}, "amount: Input should be a valid decimal"),
            ({"amount": None}, "amount: Decimal input should be"),
            ({"work": ""}, "work: String should have at least 1 character"),
        ),
        (COLLEAGUE, CUSTOMER),
    ),
    Form(
        ActionName.CONFIRM,
        quoted,
        CUSTOMER,
        {"agreed": True},
        (
            ({"agreed": _MISSING}, "agreed: Field required"),
            ({"agreed": None}, "agreed: Input should be a valid boolean"),
            ({"words": LONG}, "words: String should have at most 10000 characters"),
        ),
        (COLLEAGUE,),
    ),
    Form(
        ActionName.APPROVE,
        confirmed,
        MANAGER,
        {"approved": False, "reason": "not this year"},
        (
            ({"approved": _MISSING}, "approved: Field required"),
            ({"reason": ""}, "reason: say why it is not approved, the customer is told"),
            ({"reason": "  "}, "reason: say why it is not approved, the customer is told"),
        ),
        (LEAD, HANDLER, CUSTOMER),
    ),
    Form(
        ActionName.PROPOSE_REMEDY,
        complained,
        HANDLER,
        PROPOSED,
        (
            ({"remedy": _MISSING}, "remedy: Field required"),
            ({"what": ""}, "what: String should have at least 1 character"),
            ({"amount": "-1"}, "amount: Input should be greater than or equal to 0"),
            ({"amount": "12.345"}, "amount: Decimal input should have no more than 2 decimal"),
            ({"reason": _MISSING}, "reason: Field required"),
        ),
        (COLLEAGUE, CUSTOMER, CLERK),
    ),
    Form(
        ActionName.DECIDE_REMEDY,
        owing,
        MANAGER,
        {"approved": True},
        (
            ({"approved": _MISSING}, "approved: Field required"),
            ({"approved": False}, "reason: say why it is not approved"),
        ),
        (LEAD, HANDLER, CUSTOMER),
    ),
    Form(
        ActionName.RECORD_REMEDY,
        agreed,
        HANDLER,
        {"accepted": True, "receipt": "receipt 0017, signed"},
        (
            ({"accepted": _MISSING}, "accepted: Field required"),
            ({"receipt": ""}, "receipt: write down how it was given"),
            ({"accepted": False}, "words: write down what the customer said"),
        ),
        (COLLEAGUE, CUSTOMER, CLERK),
    ),
    Form(
        ActionName.RESOLVE,
        accepted,
        HANDLER,
        {"result": "card reader replaced", "known_solution": True},
        (
            ({"result": _MISSING}, "result: Field required"),
            ({"result": ""}, "result: String should have at least 1 character"),
            ({"known_solution": "perhaps"}, "known_solution: Input should be a valid boolean"),
        ),
        (COLLEAGUE, CUSTOMER, CLERK),
    ),
    Form(
        ActionName.RECORD_CALLBACK,
        to_be_called,
        CLERK,
        {"reached": True, "running": True, "satisfied": True, "call": "call-17"},
        (
            ({"reached": _MISSING}, "reached: Field required"),
            ({"running": _MISSING}, "running: say whether the machine runs"),
            ({"reached": False}, "reached: a customer who was not reached cannot have answered"),
            ({"conflict": True}, "words: write down what the customer complains about"),
            ({"call": "call 17"}, "call: String should match pattern"),
        ),
        (HANDLER, CUSTOMER),
    ),
    Form(
        ActionName.EVALUATE,
        closed,
        CUSTOMER,
        {"item": "after_sales", "technical": 200, "attitude": -50, "comment": "mixed"},
        (
            ({"technical": 201}, "technical: Input should be less than or equal to 200"),
            ({"attitude": -51}, "attitude: Input should be greater than or equal to -50"),
            ({"technical": 99.5}, "technical: Input should be a valid integer"),
            ({"attitude": "good"}, "attitude: Input should be a valid integer"),
            ({"attitude": _MISSING}, "attitude: Field required"),
            ({"item": "cleaning"}, "item: Input should be 'pre_sales', 'project' or 'after_sales'"),
            ({"comment": ""}, "comment: String should have at least 1 character"),
            ({"person": ""}, "person: String should have at least 1 character"),
            ({"by": AGENT.model_dump()}, "person: say who scores it"),
        ),
        (HANDLER,),
    ),
    Form(
        ActionName.RATE_DIFFICULTY,
        closed,
        MANAGER,
        {"difficulty": 5},
        (
            ({"difficulty": _MISSING}, "difficulty: Field required"),
            ({"difficulty": 0}, "difficulty: Input should be greater than or equal to 1"),
            ({"difficulty": 6}, "difficulty: Input should be less than or equal to 5"),
            ({"difficulty": 2.5}, "difficulty: Input should be a valid integer"),
            ({"note": LONG}, "note: String should have at most 10000 characters"),
        ),
        (LEAD, HANDLER, CUSTOMER),
    ),
    Form(
        ActionName.CUSTOMER_WROTE,
        accepted,
        CUSTOMER,
        {"words": "the key is with the porter", "means": "done", "sender": "Chen Hong"},
        (
            ({"words": _MISSING}, "words: Field required"),
            ({"words": " "}, "words: String should have at least 1 character"),
            ({"words": LONG}, "words: String should have at most 10000 characters"),
            ({"means": "perhaps"}, "means: Input should be 'words', 'done', 'more_time'"),
            ({"sender": "x" * 201}, "sender: String should have at most 200 characters"),
            ({"known": "perhaps"}, "known: Input should be a valid boolean"),
        ),
        (HANDLER, COLLEAGUE),
    ),
    Form(
        ActionName.CHASE,
        accepted,
        AGENT,
        {"asks": "how far is it?"},
        (
            ({"asks": _MISSING}, "asks: Field required"),
            ({"asks": " "}, "asks: String should have at least 1 character"),
            ({"asks": LONG}, "asks: String should have at most 10000 characters"),
        ),
        (HANDLER, CUSTOMER),
    ),
    Form(
        ActionName.ADD_NOTE,
        accepted,
        AGENT,
        {"words": "the spare part comes tomorrow", "for_customer": True},
        (
            ({"words": _MISSING}, "words: Field required"),
            ({"words": " "}, "words: String should have at least 1 character"),
            ({"words": LONG}, "words: String should have at most 10000 characters"),
            ({"for_customer": "perhaps"}, "for_customer: Input should be a valid boolean"),
        ),
        (COLLEAGUE, CUSTOMER),
    ),
    Form(
        ActionName.AMEND,
        accepted,
        AGENT,
        {"phone": "+8613900000002", "reason": "she called"},
        (
            ({"phone": _MISSING}, "name: say what is to be corrected"),
            ({"phone": "none"}, "phone: String should match pattern"),
            ({"email": "nowhere"}, "email: String should match pattern"),
            ({"language": "fr"}, "language: Input should be 'zh' or 'en'"),
            ({"remove": ["phone"]}, "remove: phone is given and removed"),
            ({"title": "another"}, "title: Extra inputs are not permitted"),
        ),
        (HANDLER, CUSTOMER, CLERK),
    ),
)
"""Every form of this regulation that people fill in."""


def filled_in(form: Form, changes: Payload) -> Payload:
    """Fill in the form rightly but for the changes."""
    payload = {"by": form.by.model_dump()} | form.right | changes
    return {name: value for name, value in payload.items() if value is not _MISSING}
