"""Catching the register up from a workflow's history, when it was restored to an earlier time: each
step that it lacks is written as it was recorded then, and no message goes out a second time.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

from temporalio.client import Client

from activities.addressing import Directory, address, stranger
from activities.informing import taught
from activities.redirecting import redirected
from domain import contract as names
from domain.issue.folding import folded
from domain.issue.intake import Intake
from domain.issue.step import Recorded
from runtime import histories
from runtime.histories import Activities, Kept, Told
from runtime.lives import described
from runtime.signing import Links
from store import auditing, duty, issue_writer, outbox, roster, rulebooks, serials
from store.auditing import Papers
from store.connection import Connection, Pool
from store.issue_writer import IssueContext
from store.outbox import Message
from store.rewriting import write_again
from store.rulebooks import Rulebooks

_ACTIVITIES = Activities(record=frozenset(names.STEPS), deliver=names.DELIVER)
_PERHAPS_SENT = "the register was restored: this may have arrived before"
_LOST = "此消息的原文已遗失，请查看该问题 The wording of this message was lost: look at the issue."


class Gone(Exception):
    """Temporal does not have what the register lacks, or not any more."""


class Fate(NamedTuple):
    """What became of a message: it arrived at that instant; None: nobody can know."""

    arrived_at: datetime | None


Fates: TypeAlias = Mapping[str, Fate]


class CatchingUp:
    """Writes into the register what only Temporal remembers."""

    def __init__(self, pool: Pool, links: Links) -> None:
        self._pool = pool
        self._links = links
        self._rulebooks = Rulebooks()

    async def lacking(self, client: Client, id_: str) -> list[int]:
        """Say which steps of an issue the register lacks.

        Raises:
            Gone: the history of one of them is no longer kept.
        """
        present, kept, _ = await self._remembered(client, id_)
        return [seq for seq in sorted(kept.steps) if seq not in present]

    async def _remembered(self, client: Client, id_: str) -> tuple[frozenset[int], Kept, str]:
        """Return the steps of an issue that the register has, what its histories say, and with
        which run its workflow began.

        Raises:
            Gone: the history of one of them is no longer kept.
        """
        found = await described(client, id_)
        if found is None:
            raise Gone("Temporal has no such workflow")
        async with self._pool.acquire() as connection:
            present = await auditing.seqs(connection, id_)
        after = next(seq for seq in range(len(present) + 1) if seq + 1 not in present)
        kept = await histories.kept(client, id_, found.run_id, after, _ACTIVITIES)
        if not kept.whole or (not present and kept.steps and kept.registered_with() is None):
            raise Gone(f"Temporal no longer has the history of step {after + 1}")
        return present, kept, found.raw_info.first_run_id

    async def catch_up(self, client: Client, id_: str) -> str:
        """Write what the register lacks of an issue, in one transaction; say what that was.

        Raises:
            Gone: it cannot be found out.
            asyncpg.UniqueViolationError: its number is another issue's by now.
        """
        _, kept, run = await self._remembered(client, id_)
        async with self._pool.acquire() as connection, connection.transaction():
            await auditing.lock(connection, id_)
            present = await auditing.seqs(connection, id_)
            lacking = [seq for seq in sorted(kept.steps) if seq not in present]
            last = max(present, default=0)
            for seq in lacking:
                recorded = kept.steps[seq]
                if seq < last:
                    await issue_writer.write_event(connection, recorded)
                else:
                    await self._write(connection, recorded, kept)
            if lacking and lacking[0] < last:
                await rewritten(connection, id_)
            await issue_writer.adopt(connection, id_, run)
            await _settle(connection, id_, _fates(kept.told))
        return f"steps {', '.join(map(str, lacking))}" if lacking else "nothing was missing"

    async def _write(self, connection: Connection, recorded: Recorded, kept: Kept) -> None:
        """Write one step as ``record_step`` did, with everything that was found out then."""
        step = recorded.step
        intake = _told_first(kept) if step.seq == 1 else None
        if intake:
            case = await _opened(connection, recorded, intake)
        else:
            case = await issue_writer.case(connection, step.issue_id)
        case = await issue_writer.correct(connection, step, case)
        if step.replan and await rulebooks.is_kept(connection, step.replan):
            case = case.model_copy(update={"rulebook": step.replan})
        current = await self._rulebooks.current(connection)
        rulebook = await self._rulebooks.get(connection, case.rulebook)
        staff = await roster.staff(connection)
        unknown = await stranger(connection, step, case, rulebook.policy, staff.channels)
        directory = Directory(staff, case, recorded, current.rulebook, self._links, unknown)
        directory = await redirected(connection, step, rulebook.policy, directory)
        _, written = await address(connection, step, rulebook.policy, directory)
        messages = [
            (await _message(connection, key, written, recorded)).model_copy(
                update={"not_before": batch.not_before}
            )
            for batch in recorded.batches
            for key in batch.keys
        ]
        await issue_writer.merge(connection, step)
        await issue_writer.write(connection, case, recorded, messages, intake=intake)
        await taught(connection, step)
        if recorded.thin:
            department, centre = recorded.thin.split("/", 1)
            day = step.recorded_at.astimezone(ZoneInfo(rulebook.policy.zone)).date()
            await duty.raise_alarm(connection, department, centre, day)


def _told_first(kept: Kept) -> Intake:
    """Return the intake it was registered with.

    Raises:
        Gone: Temporal has it no more.
    """
    intake = kept.registered_with()
    if intake is None:
        raise Gone("Temporal no longer has the intake it was registered with")
    return intake


async def _opened(connection: Connection, recorded: Recorded, intake: Intake) -> IssueContext:
    """The issue as it was opened: number, department and centre as they were found then; the
    rulebook that counted then, as far as the register knows. Numbers go on above its own.
    """
    centre = await roster.centre(connection, recorded.centre)
    against = intake.arises_from and await issue_writer.number_of(connection, intake.arises_from)
    case = issue_writer.context_of(
        intake,
        number=recorded.number,
        rulebook=await rulebooks.at(connection, recorded.step.recorded_at),
        facts=issue_writer.facts_of(intake, recorded.centre),
        calendar=centre.calendar if centre else recorded.promises[0].calendar,
        department=recorded.department,
        zone=recorded.zone,
        against=against,
    )
    await serials.go_on_above(connection, recorded.number)
    return case


async def rewritten(connection: Connection, id_: str) -> None:
    """Write an issue's row, ledger and forms again out of its events.

    Raises:
        Gone: it has none, or not all.
    """
    papers: Sequence[Papers] = await auditing.papers(connection, [id_])
    recorded = papers[0].recorded if papers else ()
    if [each.step.seq for each in recorded] != list(range(1, len(recorded) + 1)) or not recorded:
        raise Gone("its events are not all there")
    case = await issue_writer.case(connection, id_)
    await write_again(connection, case, recorded, folded(papers[0].intake, recorded))


async def _message(
    connection: Connection, key: str, written: Sequence[Message], recorded: Recorded
) -> Message:
    """Find the message of that key among those written anew. If the roster has changed it may be
    somebody else's by now: then it is the same text, for whom it was for. Without a text a person
    is to see to it, and so the message has no channel.
    """
    about, _, recipient = key.rpartition(":")
    same = [message for message in written if message.key == key]
    if same:
        return same[0]
    alike = next((m for m in written if m.key.rpartition(":")[0] == about), None)
    member = await roster.member(connection, recipient)
    contact = member.contacts[0] if member else None
    if alike:
        changes = {
            "key": key,
            "recipient": recipient,
            "channel": contact.channel if contact else None,
            "address": contact.address if contact else None,
        }
        return alike.model_copy(update=changes)
    step = recorded.step
    return Message(
        key=key,
        issue_id=step.issue_id,
        seq=step.seq,
        template=about.rpartition(":")[2],
        audience=step.tell[0].to,
        recipient=recipient,
        channel=None,
        address=None,
        subject=recorded.number,
        body=_LOST,
        created_at=step.recorded_at,
    )


def _fates(told: Iterable[Told]) -> Fates:
    """What arrived once has arrived; what was given out and did not come back, nobody knows."""
    fates: dict[str, Fate] = {}
    for each in told:
        for key in each.keys:
            arrived = each.at if each.left is not None and key not in each.left else None
            known = fates.get(key)
            fates[key] = Fate(known.arrived_at if known and known.arrived_at else arrived)
    return fates


async def _settle(connection: Connection, id_: str, fates: Fates) -> None:
    """Let the outbox know what became of the issue's messages. What was never given out waits for
    its workflow, which will.
    """
    for key, _, _ in await outbox.left_of(connection, id_):
        if key in fates:
            await outbox.learn(connection, key, fates[key].arrived_at, _PERHAPS_SENT)
