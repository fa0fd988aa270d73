"""What must be true when all scripts are played: sentences, and what speaks against each.

They compare the registers, Temporal and the world outside with the scripts. Nothing here asks the
desk what it thinks of itself.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from demo.play import week
from demo.play.doors import SOURCES, DoorDeed
from demo.play.evidence import Evidence, by_customer, by_issue
from demo.play.ledger import CallRow, PromiseRow
from demo.play.script import Call
from domain.sla.promise import CUSTOMERS, PromiseEnd, PromiseKind
from domain.vocabulary import Audience, Outcome, Stage


class Claim(NamedTuple):
    """A sentence that holds if there are no ``problems``."""

    chinese: str
    english: str
    problems: tuple[str, ...]


def check(evidence: Evidence) -> list[Claim]:
    """Check everything."""
    return [
        Claim(chinese, english, tuple(problems(evidence))) for chinese, english, problems in _CHECKS
    ]


def _scripts_were_played(evidence: Evidence) -> Iterator[str]:
    for played in evidence.played:
        if played.trouble:
            yield f"{played.sample.intake.reference}: {played.trouble}"


def _one_issue_each(evidence: Evidence) -> Iterator[str]:
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for issue in evidence.ledger.issues:
        found[issue.source, issue.reference].append(issue.number)
    for played in evidence.played:
        intake = played.sample.intake
        numbers = found.pop((intake.source, intake.reference), [])
        if len(numbers) != 1 or set(played.numbers) != set(numbers):
            told = ", ".join(played.numbers) or "nothing"
            yield f"{intake.reference}: the register has {numbers}, the caller was told {told}"
    for (source, reference), numbers in found.items():
        yield f"{source} {reference}: nobody reported it, but the register has {numbers}"


def _numbers_without_gaps(evidence: Evidence) -> Iterator[str]:
    serials: defaultdict[str, list[int]] = defaultdict(list)
    for issue in evidence.ledger.issues:
        day_and_agent, _, serial = issue.number.rpartition("-")
        serials[day_and_agent].append(int(serial))
    for day_and_agent, found in serials.items():
        if sorted(found) != list(range(1, len(found) + 1)):
            yield f"{day_and_agent}: {sorted(found)}"


def _outcomes(evidence: Evidence) -> Iterator[str]:
    for sample, issue in evidence.pairs:
        if issue.stage is not Stage.CLOSED or issue.outcome is not sample.expected.outcome:
            yield (
                f"{issue.number}: {issue.stage} ({issue.outcome}), "
                f"the script demands {sample.expected.outcome}"
            )


def _nobody_unanswered(evidence: Evidence) -> Iterator[str]:
    """R6: in writing for every result, and for a withdrawal; by the issue it was merged into, of
    whose answer its own customer hears as that one's does.
    """
    written = by_customer(evidence.ledger.messages)
    answers = {each.intake.reference: each.expected.replies for each, _ in evidence.pairs}
    for sample, issue in evidence.pairs:
        for_itself = sample.expected.outcome not in {Outcome.WITHDRAWN, Outcome.MERGED}
        own = sample.expected.replies
        if not sample.provided.in_writing:
            own = {each: times for each, times in own.items() if each != _CONFIRMS}
        wanted = own | answers.get(sample.script.merge or "", {})
        sent = Counter(
            message.template
            for message in written[issue.id]
            if message.audience == Audience.CUSTOMER and message.template in _REPLIES
        )
        if sent != wanted or (for_itself and not issue.answered):
            state = "answered" if issue.answered else "not answered"
            yield f"{issue.number}: {state}, replies {dict(sent)} instead of {wanted}"


def _promises_end_as_scripted(evidence: Evidence) -> Iterator[str]:
    ledger = by_issue(evidence.ledger.promises)
    for sample, issue in evidence.pairs:
        found = {_key(promise): promise.outcome for promise in ledger[issue.id]}
        wanted = sample.expected.promises
        for key in sorted(found.keys() | wanted.keys()):
            if found.get(key) != wanted.get(key):
                yield f"{issue.number}: {key} is {found.get(key)}, not {wanted.get(key)}"


def _kept_means_in_time(evidence: Evidence) -> Iterator[str]:
    for promise in evidence.ledger.promises:
        if promise.ended_at is None:
            yield f"{promise.issue_id}: {_key(promise)} never ended"
            continue
        in_time = promise.ended_at <= promise.due_at or promise.kind in CUSTOMERS
        wanted = PromiseEnd.KEPT if in_time else PromiseEnd.BROKEN
        if promise.outcome not in {wanted, PromiseEnd.WITHDRAWN}:
            yield (
                f"{promise.issue_id}: {_key(promise)} is {promise.outcome}, though it was due "
                f"{promise.due_at:%H:%M:%S.%f} and ended {promise.ended_at:%H:%M:%S.%f}"
            )


def _broken_means_escalated(evidence: Evidence) -> Iterator[str]:
    """R10, R13, R24: the issue rose, and whoever watches over it was told of what was broken."""
    written = by_issue(evidence.ledger.messages)
    ledger = by_issue(evidence.ledger.promises)
    for sample, issue in evidence.pairs:
        if sample.expected.rises and issue.escalation_level == 0:
            yield f"{issue.number}: still at level 0"
        told = Counter((message.audience, message.template) for message in written[issue.id])
        broken = Counter(
            _WATCHES.get(promise.kind, _THE_LEAD)
            for promise in ledger[issue.id]
            if promise.outcome is PromiseEnd.BROKEN
        )
        for (audience, wording), count in broken.items():
            if told[audience, wording] < count:
                yield (
                    f"{issue.number}: {count} promises broken, the {audience} was told of "
                    f"{told[audience, wording]}"
                )


def _reopened_as_scripted(evidence: Evidence) -> Iterator[str]:
    for sample, issue in evidence.pairs:
        if issue.generation - 1 != sample.expected.reopened:
            yield (
                f"{issue.number}: reopened {issue.generation - 1} times, "
                f"the script demands {sample.expected.reopened}"
            )


def _registers_are_whole(evidence: Evidence) -> Iterator[str]:
    """One event a step, one handling form a repair, one callback record a call."""
    events = by_issue(evidence.ledger.events)
    forms = by_issue(evidence.ledger.forms)
    calls = by_issue(evidence.ledger.calls)
    for sample, issue in evidence.pairs:
        steps = [event.seq for event in events[issue.id]]
        if steps != list(range(1, issue.seq + 1)):
            yield f"{issue.number}: steps {steps}, the issue counts {issue.seq}"
        written = {form.generation: bool(form.result) for form in forms[issue.id]}
        if written != sample.expected.forms:
            wanted = sample.expected.forms
            yield f"{issue.number}: results in handling forms {written}, wanted {wanted}"
        found = [(call.generation, call.attempt, _brought(call)) for call in calls[issue.id]]
        if found != list(sample.expected.calls):
            yield f"{issue.number}: callback records {found}, calls {sample.expected.calls}"


def _every_message_once(evidence: Evidence) -> Iterator[str]:
    """What came in outside is what the outbox says was delivered, as often."""
    outside: Counter[tuple[str, ...]] = Counter(
        (m.channel, m.to, m.title, m.body) for m in evidence.received
    )
    inside: Counter[tuple[str, ...]] = Counter(
        (m.channel or "", m.address or "", m.subject, m.body)
        for m in evidence.ledger.messages
        if m.status == "delivered"
    )
    for message in outside.keys() | inside.keys():
        if outside[message] != inside[message]:
            channel, to, title, *_ = message
            yield (
                f'"{title}" to {channel} {to}: came in {outside[message]} times, '
                f"delivered {inside[message]} times by the outbox"
            )


def _every_message_settled(evidence: Evidence) -> Iterator[str]:
    """Delivered; or, from a dead channel, handed to a person."""
    for message in evidence.ledger.messages:
        wanted = "handed_over" if message.channel in evidence.dead else "delivered"
        if message.status != wanted or (wanted == "handed_over" and not message.handed_to):
            yield f"{message.key} ({message.channel}) is {message.status}, not {wanted}"


def _every_workflow_completed(evidence: Evidence) -> Iterator[str]:
    found: defaultdict[str, list[str]] = defaultdict(list)
    for id_, status in evidence.workflows:
        found[id_].append(status)
    wanted = {played.sample.intake.issue_id for played in evidence.played}
    for id_ in sorted(found.keys() | wanted):
        if found[id_] != ["COMPLETED"] or id_ not in wanted:
            yield f"{id_}: {', '.join(found[id_]) or 'no workflow'}"


def _thin_groups_are_told(evidence: Evidence) -> Iterator[str]:
    """R16: the manager hears of it, once for each group."""
    messages = evidence.ledger.messages
    told = sum(m.template == "thin" and m.audience == Audience.MANAGER for m in messages)
    groups = [f"{row.department}/{row.centre}" for row in evidence.ledger.standby]
    if told != len(groups):
        yield f"{', '.join(groups) or 'no group'} under the share, managers were told {told} times"


_CONFIRMS = "told_by_call"
"""What is written to who was told by telephone, if anything can be written to them."""
_REPLIES = frozenset(
    {
        *("answered", "resolved", "acceptance", "unfounded", "declined", "lapsed"),
        *("not_approved", "withdrawn", "merged", _CONFIRMS),
    }
)
"""The wordings that answer a customer."""
_THE_LEAD = (Audience.LEAD, "alarm")
_WATCHES: Mapping[PromiseKind, tuple[Audience, str]] = {
    PromiseKind.HAND_OVER: (Audience.AGENT, "overdue"),
    PromiseKind.APPROVAL: (Audience.GM_OFFICE, "alarm"),
    PromiseKind.DIFFICULTY: (Audience.MANAGER, "rating_wanted"),
}
"""Who is told that such a promise is broken, in which wording, if not the lead."""


def _doors_leave_a_trail(evidence: Evidence) -> Iterator[str]:
    """R30: whatever was done at the doors stands there, twice perhaps if it was sent twice."""
    systems = {played.sample.intake.source for played in evidence.played} & set(SOURCES)
    if systems and not evidence.deeds:
        yield f"nothing came in at the doors, though {', '.join(sorted(systems))} use no other way"
    written = Counter(
        DoorDeed(entry.what, entry.number or "", entry.person)
        for entry in evidence.trail
        if entry.outcome == "done"
    )
    for deed, times in (Counter(evidence.deeds) - written).items():
        yield f"{deed.number}: {deed.what} by {deed.person} is missing {times} times"


_CHECKS: tuple[tuple[str, str, Callable[[Evidence], Iterable[str]]], ...] = (
    ("脚本全部演完", "Every script could be played to its end", _scripts_were_played),
    ("一个来源编号，一个问题", "Every reference became exactly one issue", _one_issue_each),
    ("编号连续，无缺号", "The numbers have no gaps", _numbers_without_gaps),
    ("结局与脚本相符", "Every issue closed as its script demands", _outcomes),
    ("人人得到答复", "Nobody was left unanswered", _nobody_unanswered),
    ("承诺结局与脚本相符", "Every promise ended as scripted", _promises_end_as_scripted),
    ("按时即守诺，逾期即失约", "Kept means in time, broken means late", _kept_means_in_time),
    ("失约必上报", "Every broken promise was reported upwards", _broken_means_escalated),
    ("重开次数与脚本相符", "Issues were reopened as scripted", _reopened_as_scripted),
    ("登记簿完整", "The registers are whole", _registers_are_whole),
    ("消息送达且只送一次", "Every message arrived once", _every_message_once),
    (
        "未送达者均已转人工",
        "Only a dead channel's messages were handed over",
        _every_message_settled,
    ),
    ("备勤不足必报部门经理", "The manager heard of every thin core group", _thin_groups_are_told),
    ("门户所为皆有留痕", "What was done at the doors stands in their trail", _doors_leave_a_trail),
    ("流程全部完成", "Every workflow completed", _every_workflow_completed),
    ("周报与脚本相符", "The week's reports say what was played", week.problems),
)


def _key(promise: PromiseRow) -> str:
    key = f"{promise.kind}.{promise.generation}"
    return key if promise.attempt == 1 else f"{key}.{promise.attempt}"


def _brought(call: CallRow) -> Call:
    if not call.reached:
        return "not_reached"
    if call.conflict:
        return "conflict"
    return "good" if call.running else "bad"
