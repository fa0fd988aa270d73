"""Everything that is known when a play is over: what checks are made of."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TypeVar

from demo.play.doors import DoorDeed
from demo.play.ledger import IssueRow, Ledger, MessageRow
from demo.play.samples import SampleIssue
from demo.play.staff import Played
from demo.receiver import Received
from domain.reports.counted import Counted
from domain.vocabulary import Model
from store.door_log import Entry

Row = TypeVar("Row", bound=Model)


@dataclass(frozen=True)
class Evidence:
    """The registers, Temporal and the world outside, beside the scripts."""

    played: Sequence[Played]
    ledger: Ledger
    workflows: Sequence[tuple[str, str]]
    """Id and status, such as ``COMPLETED``, of every run of an issue in Temporal."""
    received: Sequence[Received]
    dead: frozenset[str]
    """Channels at whose address nobody listened."""
    deeds: Sequence[DoorDeed] = ()
    """What was done at the doors, as those who did it remember."""
    trail: Sequence[Entry] = ()
    """What the doors wrote down."""
    reports: Sequence[Counted] = ()
    """The week's reports, as the management reads them."""

    @property
    def pairs(self) -> Iterator[tuple[SampleIssue, IssueRow]]:
        """Every sample with its issue; one that is missing is another check's matter."""
        issues = {issue.id: issue for issue in self.ledger.issues}
        for played in self.played:
            if issue := issues.get(played.sample.intake.issue_id):
                yield played.sample, issue


def by_customer(messages: Iterable[MessageRow]) -> defaultdict[str, list[MessageRow]]:
    """Sort messages by the issue whose customer they are for, whichever issue wrote them."""
    grouped: defaultdict[str, list[MessageRow]] = defaultdict(list)
    for message in messages:
        grouped[message.whose].append(message)
    return grouped


def by_issue(rows: Iterable[Row]) -> defaultdict[str, list[Row]]:
    """Sort the rows of a register by their issue."""
    grouped: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        grouped[getattr(row, "issue_id")].append(row)  # noqa: B009 - all of these rows have it
    return grouped
