"""What an action's model asks for: by this a thread shows all that was said with it."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from domain.issue.actions import ACTIONS, Act, ActionName
from domain.issue.lateness import Registered
from domain.issue.thread import Holds
from domain.vocabulary import LONGEST_TEXT


class Asked(NamedTuple):
    """A field of an action's model: what it holds, and whether "no" goes without saying."""

    holds: Holds
    usual_is_no: bool = False


UNKNOWN = Asked(Holds.TEXT)
"""What an earlier version asked for, and nobody knows any more."""


@cache
def fields(action: ActionName) -> Mapping[str, Asked]:
    """Say what an action is kept with, by the names under which it is kept, in its order."""
    form: type[Act] = ACTIONS[action].kept if action in ACTIONS else Registered
    schema = form.model_json_schema()
    defs = schema.get("$defs", {})
    return {
        name: Asked(_holds(each, defs), each.get("default") is False)
        for name, each in schema["properties"].items()
        if name not in Act.model_fields
    }


_BY_TYPE: Mapping[str, Holds] = {
    "boolean": Holds.YES_NO,
    "integer": Holds.NUMBER,
    "number": Holds.AMOUNT,
}


def _holds(each: Mapping[str, Any], defs: Mapping[str, Any]) -> Holds:
    """Say what a field holds, from its JSON Schema."""
    kinds = [kind for kind in each.get("anyOf", [each]) if kind.get("type") != "null"]
    said = kinds[0] | defs.get(str(kinds[0].get("$ref", "")).rpartition("/")[2], {})
    if said.get("type") == "array":
        return _holds(said.get("items", {}), defs)
    if said.get("type") in _BY_TYPE:
        return _BY_TYPE[said["type"]]
    if "enum" in said:
        return Holds.CODE
    if said.get("format") == "date-time":
        return Holds.INSTANT
    return Holds.TEXT if said.get("maxLength") == LONGEST_TEXT else Holds.NAME
