"""The roster as a spreadsheet program writes it: CSV files in one directory.

``centres.csv``, ``people.csv`` and ``channels.csv``, and ``duty.csv`` and ``examinations.csv`` if
there are such;
`examples/README.md` explains the columns.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from domain import telephone
from domain.errors import SetupError
from domain.issue.intake import EMAIL
from domain.staff.duty import DutyException
from domain.staff.qualification import Examination, KnowledgeTest
from domain.staff.roster import Centre, DeliveryChannel, Member, Roster
from domain.vocabulary import Role
from runtime.settings import ROOT
from runtime.textfiles import explain, read_utf8

EXAMPLE = ROOT / "examples" / "roster"

Split = Callable[[str], list[Any]]
Entry = TypeVar("Entry", bound=BaseModel)


class RosterError(SetupError):
    """The roster cannot be used; the message names file, line and column, and what is expected."""


class _Sheet(NamedTuple):
    """One of the files: cells that hold lists, columns whose cells may be empty, what is written in
    another file, and columns that may be left out, as files of before do.
    """

    file: str
    lists: Mapping[str, Split]
    optional: frozenset[str]
    elsewhere: frozenset[str] = frozenset()
    added: frozenset[str] = frozenset()


class _Row(NamedTuple):
    line: int
    cells: dict[str, str]


def first_of(policy: Path) -> Path:
    """Return the directory of the roster that a new desk begins with, by where its policy is:
    ``roster`` beside it, or else that of our examples.
    """
    theirs = policy.resolve().parent / "roster"
    return theirs if theirs.is_dir() else EXAMPLE


def read_roster(directory: Path) -> Roster:
    """Read the roster out of the files of ``directory``. Without ``duty.csv`` it says nothing of
    exceptions from the usual shifts.

    What it says of calendars and departments is for ``Roster.check_against`` to compare.

    Raises:
        RosterError: a file is missing, is no UTF-8, lacks a column, or says something that cannot
            be; all wrong cells of all files are named at once.
    """
    wrong: list[str] = []
    centres = _entries(directory, CENTRES, Centre, wrong)
    channels = _entries(directory, CHANNELS, DeliveryChannel, wrong)
    needs = {channel.id: channel.customers for _, channel in channels}
    people = _entries(directory, PEOPLE, Member, wrong, lambda member: _reachable(member, needs))
    known = (directory / DUTY.file).exists()
    duty = _entries(directory, DUTY, DutyException, wrong) if known else []
    sat = (directory / EXAMINATIONS.file).exists()
    examined = _entries(directory, EXAMINATIONS, Examination, wrong) if sat else []
    if not wrong:
        on_it = {member.id for _, member in people}
        wrong += (
            f"{directory / EXAMINATIONS.file}, line {line}, column person: {each.person} is not in"
            f" {PEOPLE.file}"
            for line, each in examined
            if each.person not in on_it
        )
    if wrong:
        raise RosterError("\n".join(dict.fromkeys(wrong)))
    try:
        return Roster(
            centres=_all(centres),
            members=tuple(_examined(member, _all(examined)) for _, member in people),
            channels=_all(channels),
            exceptions=_all(duty) if known else None,
        )
    except ValidationError as error:
        reasons = (each["msg"].removeprefix("Value error, ") for each in error.errors())
        raise RosterError(
            "\n".join(f"{directory / _place_of(each, duty)}: {each}" for each in reasons)
        ) from None


def _examined(member: Member, examinations: Iterable[Examination]) -> Member:
    """Give somebody their papers: a certificate takes the place of the bare name of its line."""
    theirs = [each for each in examinations if each.person == member.id]
    certificates = [found for each in theirs if (found := each.certificate)]
    lines = {each.product_line for each in certificates}
    bare = [each for each in member.certified if each.product_line not in lines]
    tests = [
        KnowledgeTest(on=each.on, score=each.score) for each in theirs if each.product_line is None
    ]
    papers = {"certified": (*bare, *certificates), "tests": tuple(tests)}
    return member.model_copy(update=papers) if theirs else member


def _items(cell: str) -> list[Any]:
    return [item for part in cell.split(";") if (item := part.strip())]


def _certifications(cell: str) -> list[Any]:
    """``ATM;KIOSK=2027-03-31``: product lines, with the last day where there is one."""
    pairs = (item.partition("=") for item in _items(cell))
    return [
        {"product_line": line.strip()} | ({"until": until.strip()} if given else {})
        for line, given, until in pairs
    ]


def _contacts(cell: str) -> list[Any]:
    """``sms:+8613900000000;wecom:guangzhou``: the first is the one that is used."""
    pairs = (item.partition(":") for item in _items(cell))
    return [{"channel": channel.strip(), "address": to.strip()} for channel, _, to in pairs]


CENTRES = _Sheet("centres.csv", {"regions": _items, "nearest": _items}, frozenset({"nearest"}))
PEOPLE = _Sheet(
    "people.csv",
    {"certified": _certifications, "contacts": _contacts, "skills": _items},
    frozenset({"certified", "skills"}),
    elsewhere=frozenset({"exceptions", "tests"}),
    added=frozenset({"skills"}),
)
CHANNELS = _Sheet("channels.csv", {}, frozenset({"per_minute", "customers"}))
DUTY = _Sheet("duty.csv", {}, frozenset())
EXAMINATIONS = _Sheet("examinations.csv", {}, frozenset({"product_line", "until"}))

_HOW = {
    "regions": "list regions like 广东;海南",
    "nearest": "list centres like shenzhen;shanghai",
    "certified": "list product lines like ATM;KIOSK=2027-03-31",
    "contacts": "list channel:address like sms:+8613900000000;wecom:guangzhou",
    "person": "use letters, digits and . _ + - only",
    "centre": "use letters, digits and . _ + - only",
    "channel": "use letters, digits and . _ + - only",
    "url": "give an Apprise URL like dingtalk://SECRET@{to}",
    "per_minute": "give a whole number, or leave the cell empty for no limit",
    "from": "write the first day like 2026-12-01",
    "until": "write the last day like 2026-12-05",
    "shift": "name a calendar of the policy, or off",
    "skills": "list what they can do like ATM;投诉处理;英语",
    "product_line": "name the product line of the certificate; empty for the quarterly test",
    "on": "write the day of the examination like 2026-11-20",
    "score": "write the mark, 0 to 100",
}


def _all(entries: Sequence[tuple[int, Entry]]) -> tuple[Entry, ...]:
    return tuple(entry for _, entry in entries)


def _entries(
    directory: Path,
    sheet: _Sheet,
    model: type[Entry],
    wrong: list[str],
    checked: Callable[[Entry], Entry] = lambda entry: entry,
) -> list[tuple[int, Entry]]:
    """Read a file, each entry with its line; what is wrong with one is put to what is ``wrong``.
    ``checked`` says it of what only another file tells.
    """
    path = directory / sheet.file
    named = (field.alias or name for name, field in model.model_fields.items())
    columns = [name for name in named if name not in sheet.elsewhere]
    entries: list[tuple[int, Entry]] = []
    for line, cells in _rows(path, columns, sheet.added):
        try:
            entries.append((line, checked(model.model_validate(_values(sheet, cells)))))
        except ValidationError as error:
            wrong += (f"{path}, line {line}, {_explained(each, cells)}" for each in error.errors())
        except _WrongCells as cell:
            wrong += (f"{path}, line {line}, {_said(*each, cells)}" for each in cell.found)
    return entries


class _WrongCells(Exception):
    """Columns whose cells cannot be so, and why."""

    def __init__(self, found: Sequence[tuple[str, str]]) -> None:
        super().__init__(found)
        self.found = found


_AGENT = re.compile(r"[0-9]{2,4}")
_ROUNDED = re.compile(r"\d(\.\d+)?E\+\d+", re.IGNORECASE)
_Needs: TypeAlias = Mapping[str, Literal["phone", "email"] | None]


def _reachable(member: Member, needs: _Needs) -> Member:
    """Write somebody's addresses as the channels take them, which need what they need of a
    customer, too. Spreadsheets have their own mind about numbers.

    Raises:
        _WrongCells: an address cannot be one, or an agent's number is none.
    """
    wrong: list[tuple[str, str]] = []
    if member.role is Role.AGENT and not _AGENT.fullmatch(member.id):
        reason = "an agent's number has 2 to 4 digits: write 07, not 7, and make the column text"
        wrong.append(("person", reason))
    contacts = []
    for contact in member.contacts:
        try:
            address = _address(contact.address, needs.get(contact.channel))
            contacts.append(contact.model_copy(update={"address": address}))
        except ValueError as error:
            wrong.append(("contacts", f"{contact.channel}:{contact.address}: {error}"))
    if wrong:
        raise _WrongCells(wrong)
    return member.model_copy(update={"contacts": tuple(contacts)})


def _address(written: str, need: str | None) -> str:
    if need == "phone":
        number = telephone.understand(written).telephone
        if not number.takes_texts:
            raise ValueError("is no mobile number: nothing that is sent there arrives")
        return number.number
    if need == "email" and not re.fullmatch(EMAIL, written):
        raise ValueError("is no e-mail address: write it like li.na@example.com")
    if _ROUNDED.fullmatch(written):
        raise ValueError(telephone.REASONS["telephone_rounded"])
    return written


def _values(sheet: _Sheet, cells: dict[str, str]) -> dict[str, Any]:
    return {
        column: sheet.lists[column](cell) if column in sheet.lists else cell
        for column, cell in cells.items()
        if cell or column not in sheet.optional
    }


def _explained(details: ErrorDetails, cells: dict[str, str]) -> str:
    column = str(details["loc"][0])
    how = f"; {_HOW[column]}" if column in _HOW else ""
    return _said(column, f"{explain(details, show_found=False)}{how}", cells)


def _said(column: str, reason: str, cells: dict[str, str]) -> str:
    found = f'the cell holds "{cells[column]}"' if cells[column] else "the cell is empty"
    return f"column {column}: {reason}; {found}"


def _rows(path: Path, columns: list[str], added: frozenset[str]) -> Iterator[_Row]:
    """Read the rows by column; a row that goes over several lines is named by its first."""
    reader = csv.reader(io.StringIO(read_utf8(path, RosterError), newline=""), strict=True)
    line = 1
    try:
        header = [name.strip() for name in next(reader, [])]
        _check_header(path, header, [c for c in columns if c in header or c not in added])
        line = reader.line_num + 1
        for row in reader:
            cells = [cell.strip() for cell in row]
            if any(cells):
                _check_width(path, line, cells, header)
                yield _Row(line, dict(zip(header, cells, strict=True)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise RosterError(
            f"{path}, line {line}: no valid CSV: {error}: is a quotation mark left open?"
        ) from None


def _check_width(path: Path, line: int, cells: list[str], header: list[str]) -> None:
    if len(cells) != len(header):
        raise RosterError(
            f"{path}, line {line}: {len(cells)} cells instead of {len(header)}: "
            "lists inside a cell are separated by ; not by commas"
        )


def _check_header(path: Path, header: list[str], columns: list[str]) -> None:
    problems = {
        "missing": [name for name in columns if name not in header],
        "unknown": [name for name in header if name not in columns],
        "there twice": sorted({name for name in header if header.count(name) > 1}),
    }
    wrong = [f"{what}: {', '.join(names)}" for what, names in problems.items() if names]
    if wrong:
        raise RosterError(
            f"{path}, line 1: columns {'; '.join(wrong)}. The first line must be "
            f"{','.join(columns)}"
        )


def _place_of(reason: str, duty: Sequence[tuple[int, DutyException]]) -> str:
    """Say which file a finding about the whole roster is about: each begins with its kind. Of
    exceptions it is the last line that says the same.
    """
    for line, exception in reversed(duty):
        if reason.startswith(f"{exception}:"):
            return f"{DUTY.file}, line {line}"
    if reason.startswith(("centre ", "region ")):
        return CENTRES.file
    if reason.startswith(("channel ", "no channel ")):
        return CHANNELS.file
    return PEOPLE.file
