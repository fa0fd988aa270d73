"""The shape of a type's JSON: one line for each key, by its path, without any name of ours for it.

``customer.phone: string, pattern … | null = null``; ``promises[].at`` is of each entry of a list,
``calendars{}.zone`` of each value of a map, ``forms[]<paid_services>.amount`` of one kind of entry.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from pydantic import TypeAdapter

Schema: TypeAlias = Mapping[str, Any]
Keys: TypeAlias = dict[str, str]
"""What is said of each key."""

ITSELF = "(itself)"
DEMANDED = "required "
_SAID_OTHERWISE = frozenset(
    {
        *("title", "description", "examples", "discriminator", "default", "type"),
        *("properties", "required", "additionalProperties", "patternProperties", "propertyNames"),
        *("items", "prefixItems", "anyOf", "oneOf", "enum", "const"),
    }
)
_NESTED = re.compile(r"[.\[{<]")


def shape(type_: Any) -> Keys:
    """Describe what a type reads, and what it writes where that is something else."""
    adapter = TypeAdapter(type_)
    read = dict(_Walk(adapter.json_schema(mode="validation")).keys())
    written = dict(_Walk(adapter.json_schema(mode="serialization")).keys())
    return {
        path: read[path]
        if read.get(path) == written.get(path)
        else f"{read.get(path, 'not read')}; written: {written.get(path, 'not at all')}"
        for path in {**read, **written}
    }


def breaks(before: Keys, now: Keys) -> list[str]:
    """Say what of the difference is more than a new key that may be left out."""
    gone = [f"gone: {path}" for path in sorted(before.keys() - now.keys())]
    changed = [
        f"changed: {path}"
        for path in sorted(before.keys() & now.keys())
        if before[path] != now[path]
    ]
    demanded = [
        f"new, but required: {path}"
        for path in sorted(now.keys() - before.keys())
        if now[path].startswith(DEMANDED) and _parent(path, now) in before
    ]
    return [*gone, *changed, *demanded]


def _parent(path: str, keys: Keys) -> str:
    ends = [match.start() for match in _NESTED.finditer(path)]
    return next((path[:end] for end in reversed(ends) if path[:end] in keys), ITSELF)


class _Walk:
    """Goes through a JSON schema, and through what it refers to in its place."""

    def __init__(self, schema: Schema) -> None:
        self._named: Schema = schema.get("$defs", {})
        self._root = {name: said for name, said in schema.items() if name != "$defs"}

    def keys(self) -> Iterator[tuple[str, str]]:
        yield ITSELF, self._said(self._root)
        yield from self._inside("", self._root, ())

    def _found(self, schema: Schema) -> Schema:
        if "$ref" not in schema:
            return schema
        name = schema["$ref"].removeprefix("#/$defs/")
        return {**self._named[name], **{k: said for k, said in schema.items() if k != "$ref"}}

    def _inside(
        self, path: str, schema: Schema, around: tuple[str, ...]
    ) -> Iterator[tuple[str, str]]:
        if "$ref" in schema:
            if schema["$ref"] in around:
                raise ValueError(f"{path}: holds itself, which no list of keys can say")
            around = (*around, schema["$ref"])
        found = self._found(schema)
        for name, each in found.get("properties", {}).items():
            here = f"{path}.{name}" if path else name
            demanded = DEMANDED if name in found.get("required", ()) else ""
            yield here, demanded + self._said(each)
            yield from self._inside(here, each, around)
        for mark, each in self._parts(found):
            yield from self._inside(path + mark, each, around)

    def _parts(self, schema: Schema) -> Iterator[tuple[str, Schema]]:
        """List what a value is made of, each with what marks it in a path."""
        if "items" in schema:
            yield "[]", schema["items"]
        for place, each in enumerate(schema.get("prefixItems", ())):
            yield f"[{place}]", each
        for each in _values(schema):
            yield "{}", each
        kinds = [each for word in ("anyOf", "oneOf") for each in schema.get(word, ())]
        several = sum(each.get("type") != "null" for each in kinds) > 1
        for place, each in enumerate(kinds):
            yield self._kind(place, each) if several else "", each

    def _kind(self, place: int, schema: Schema) -> str:
        properties = self._found(schema).get("properties", {})
        constants = (each["const"] for each in properties.values() if "const" in each)
        return f"<{next(constants, place)}>"

    def _said(self, schema: Schema) -> str:
        """Say in a line what a value may be; what it is made of stands in lines of its own."""
        found = self._found(schema)
        bounds = [f"{k} {_json(found[k])}" for k in sorted(found.keys() - _SAID_OTHERWISE)]
        default = f" = {_json(_default(found))}" if "default" in found else ""
        return ", ".join([self._kinds(found), *bounds]) + default

    def _kinds(self, found: Schema) -> str:
        if kinds := [*found.get("anyOf", ()), *found.get("oneOf", ())]:
            return " | ".join(map(self._said, kinds))
        if "const" in found or "enum" in found:
            return " or ".join(sorted(map(_json, found.get("enum", [found.get("const")]))))
        if "items" in found:
            return f"list of {self._said(found['items'])}"
        if "properties" in found:
            return "object" if found.get("additionalProperties") is False else "open object"
        if values := " | ".join(map(self._said, _values(found))):
            names = [f"pattern {_json(each)}" for each in found.get("patternProperties", ())]
            if "propertyNames" in found:
                names.append(self._said(found["propertyNames"]))
            return f"map of {values}" + (f" by {', '.join(names)}" if names else "")
        return str(found.get("type", "anything"))


def _values(schema: Schema) -> Iterator[Schema]:
    said = schema.get("additionalProperties")
    if said is True:
        yield {}
    elif said:
        yield said
    yield from schema.get("patternProperties", {}).values()


def _default(found: Schema) -> Any:
    """Give it in an order that no process has of its own, and without what its keys say anyway."""
    default = found["default"]
    if found.get("uniqueItems"):
        return sorted(default)
    if isinstance(default, dict) and "properties" in found:
        usual = {name: each.get("default") for name, each in found["properties"].items()}
        return {name: said for name, said in default.items() if said != usual.get(name)}
    return default


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True)
