"""Reading a policy file into a rulebook; what is wrong in it is named where it stands."""

from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from domain.calendars.calendar import Hours, WorkingCalendar
from domain.calendars.national_days import NationalDays
from domain.errors import SetupError
from domain.sla import feasibility
from domain.sla.policy import Policy, ThresholdRule
from domain.sla.rulebook import Rulebook
from domain.vocabulary import Code
from runtime.national import (
    NationalDaysError,
    national_days,
    read_notices,
    require_country,
)
from runtime.settings import ROOT
from runtime.tomlfile import Table, TomlFile, Where

OWN = ROOT / "policies"

_MARKS = TypeAdapter(dict[Code, tuple[ThresholdRule, ...]])
_HOURS = TypeAdapter[Any](Hours)


class RulebookError(SetupError):
    """The policy cannot be used; the message names file, line and field, and what is expected."""


def load(path: Path, planned_from: datetime | None = None) -> Rulebook:
    """Read a policy, its calendars, and the national working days that these name.

    ``national = "CN"`` is read from ``cn_workdays.json`` beside the policy, or else from the desk's
    own ``policies/``, or else worked out by ``holidays``. ``marks = "general"`` stands for the list
    of that name in ``[marks]``. What could not be planned from ``planned_from`` on is refused.

    Raises:
        RulebookError: a file is missing, unreadable, or says something that cannot be.
    """
    file = TomlFile(path, RulebookError)
    document = file.document()
    tables = document.pop("calendars", {})
    policy = _policy(file, document)
    calendars = _calendars(file, tables, policy.zone)
    national = _national(file, calendars)
    with file.checked():
        found = Rulebook(policy=policy, calendars=calendars, national=national)
    if planned_from:
        file.refuse(feasibility.obstacles(found, planned_from))
    return found


def load_calendars(
    path: Path, zone: str, planned_from: datetime | None = None
) -> dict[Code, WorkingCalendar]:
    """Read the ``[calendars.NAME]`` tables of a file that may hold nothing else, or be a whole
    policy; ``zone`` is for those that name none. One that runs out of open hours within a year of
    ``planned_from`` is refused.

    Raises:
        RulebookError: as ``load``; or there is no such table.
    """
    file = TomlFile(path, RulebookError)
    tables = file.document().get("calendars")
    if not tables:
        raise file.error(("calendars",), "there is no table [calendars.NAME] in this file")
    found = _calendars(file, tables, zone)
    if planned_from:
        file.refuse(feasibility.dry(found, planned_from))
    return found


def load_notices(path: Path) -> NationalDays:
    """Read a country's notices, such as ``cn_workdays.json`` (R32).

    Raises:
        RulebookError: the file is missing, unreadable, or says something that cannot be.
    """
    try:
        return read_notices(path)
    except NationalDaysError as error:
        raise RulebookError(str(error)) from None


def _policy(file: TomlFile, document: Table) -> Policy:
    marks = document.pop("marks", {})
    with file.checked("marks"):
        _MARKS.validate_python(marks)
    for number, promise in enumerate(_tables(document.get("promise"))):
        if isinstance(name := promise.get("marks"), str):
            if name not in marks:
                there_are = ", ".join(sorted(marks)) or "none"
                raise file.error(
                    ("promise", number, "marks"),
                    f'no [marks] are called "{name}"; there are: {there_are}',
                )
            promise["marks"] = marks[name]
    with file.checked():
        return Policy.model_validate(document)


def _calendars(file: TomlFile, tables: object, zone: str) -> dict[Code, WorkingCalendar]:
    """Build the calendars; each is called by its key and is in the desk's zone unless it says so
    itself.
    """
    if not isinstance(tables, dict):
        raise file.error(("calendars",), "write a table [calendars.NAME] for each")
    calendars: dict[Code, WorkingCalendar] = {}
    for name, entry in tables.items():
        where = ("calendars", name)
        if not isinstance(entry, dict):
            raise file.error(where, "write a table with days and hours, or week")
        _check_calendar(file, where, entry)
        with file.checked(*where):
            calendars[name] = WorkingCalendar.model_validate(
                {"name": name, "zone": zone} | _with_week(entry)
            )
    return calendars


def _check_calendar(file: TomlFile, where: Where, entry: Table) -> None:
    """Refuse, at its line, what a calendar's own check could not explain so well."""
    if ("hours" in entry) != ("days" in entry):
        raise file.error(where, "days and hours go together: give both, or a week table")
    if not isinstance(entry.get("days", []), list):
        raise file.error((*where, "days"), 'write a list such as ["mon", "tue"]')
    if "hours" in entry:  # once, not for every day that has them
        with file.checked(*where, "hours"):
            _HOURS.validate_python(entry["hours"])
    if "national" in entry:
        try:
            require_country(entry["national"])
        except ValueError as error:
            raise file.error((*where, "national"), str(error)) from None


def _with_week(entry: Table) -> Table:
    """Write ``hours`` on ``days`` as a ``week`` table."""
    if "hours" not in entry:
        return entry
    week = dict.fromkeys(entry["days"], entry["hours"])
    return {key: value for key, value in entry.items() if key not in {"hours", "days"}} | {
        "week": week
    }


def _national(file: TomlFile, calendars: Mapping[str, WorkingCalendar]) -> dict[Code, NationalDays]:
    """Read the notices of every country that a calendar follows (R32)."""
    found: dict[Code, NationalDays] = {}
    for name, calendar in calendars.items():
        if (country := calendar.national) and country not in found:
            try:
                found[country] = national_days(country, (file.path.resolve().parent, OWN))
            except NationalDaysError as error:
                raise RulebookError(str(error)) from None
            except ValueError as error:
                raise file.error(("calendars", name, "national"), str(error)) from None
    return found


def _tables(value: object) -> list[Table]:
    """Take what can be a list of tables; whatever else it is, the policy's own check refuses it."""
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []
