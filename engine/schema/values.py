"""The schema of a setting's value: what engine.sdk.conversion accepts for a type.

The schemas are flat, because editors become slow with deep ones: only the rows of a table are
definitions of their own.
"""

from __future__ import annotations

import types
from collections.abc import Mapping
from inspect import cleandoc
from typing import Any, Literal, Union, get_args, get_origin

from engine.reference.settings import default_value, type_text
from engine.sdk.settings import (
    Account,
    AccountPerDocument,
    BoundText,
    Evaluated,
    Expression,
    Path,
    SettingFacts,
    Settings,
    TargetPath,
    settings_of,
)

JsonSchema = dict[str, Any]

NULL: JsonSchema = {"type": "null"}
BOOLEAN: JsonSchema = {"type": "boolean"}
OPTIONAL_TEXT: JsonSchema = {"type": ["string", "null"]}
SCALAR: JsonSchema = {"type": ["string", "number", "boolean", "null"]}
COMPUTED: JsonSchema = {"type": "string", "pattern": "^="}
"""A setting that may be an expression is one if its text begins with `=`."""

_EXPRESSION: JsonSchema = {
    "type": ["string", "number", "boolean"],
    "pattern": "^(?!=)",
    "patternErrorMessage": "this is always an expression: leave out the '='",
}
_NAMES: Mapping[Any, str] = {str: "string", int: "integer", float: "number", bool: "boolean"}


class ValueSchemas:
    """Makes the schemas of values. `definitions` are those of the rows that they refer to."""

    def __init__(self) -> None:
        self.definitions: dict[str, JsonSchema] = {}
        self._names: dict[Any, str] = {}

    def properties(self, cls: type[Settings]) -> dict[str, JsonSchema]:
        """A schema for each setting of a class, with its help."""
        return {name: self.setting(fact) for name, fact in settings_of(cls).items()}

    def setting(self, fact: SettingFacts) -> JsonSchema:
        schema = self.value(fact.type)
        if not fact.required:  # a key without a value counts as missing
            schema = or_null(schema)
        described = {**schema, **described_by(fact.help, f"*{type_text(fact.type)}*")}
        if not fact.required and (default := default_value(fact)) is not None:
            described["default"] = default
        if fact.example is not None:
            described["examples"] = [fact.example]
        return described

    def value(self, kind: Any) -> JsonSchema:
        """The schema of a value of this type."""
        origin, arguments = get_origin(kind), get_args(kind)
        if kind is Any:
            return {}
        if kind is Expression:
            return _EXPRESSION
        if kind in (Path, TargetPath, BoundText) or origin in (Account, AccountPerDocument):
            return {"type": "string"}
        if origin is Evaluated and get_origin(arguments[0]) is Literal:
            return self.choice(get_args(arguments[0]), COMPUTED["pattern"])
        if origin is Evaluated:
            return either(self.value(arguments[0]), COMPUTED)
        if origin is Literal:
            return self.choice(arguments)
        if origin in (Union, types.UnionType):
            return either(*map(self.value, arguments))
        if origin in (tuple, list):
            return {"type": "array", "items": self.element(arguments[0])}
        if origin in (dict, Mapping):
            return {"type": "object", "additionalProperties": self.element(arguments[1])}
        if isinstance(kind, type) and issubclass(kind, Settings):
            return self.row(kind)
        return self.plain(kind)

    def element(self, kind: Any) -> JsonSchema:
        """The schema of what is in a list or a map; an empty expression there is `null`."""
        return or_null(self.value(kind)) if kind is Expression else self.value(kind)

    def plain(self, kind: Any) -> JsonSchema:
        """The schema of a plain value; nothing is known about types of somebody else's."""
        if kind is types.NoneType:
            return NULL
        return {"type": _NAMES[kind]} if kind in _NAMES else {}

    def choice(self, choices: tuple[Any, ...], *patterns: str) -> JsonSchema:
        """One of several words, in any case, or a string that fits one of the patterns."""
        return {"anyOf": [{"enum": list(choices)}, in_any_case(choices, *patterns)]}

    def row(self, cls: type[Settings]) -> JsonSchema:
        """A reference to the definition of a row. Rows of different snaps may have one name."""
        if cls not in self._names:
            same = sum(known.__name__ == cls.__name__ for known in self._names)
            name = self._names[cls] = f"row.{cls.__name__}{same + 1 if same else ''}"
            self.definitions[name] = {}
            self.definitions[name] = closed_object(self.properties(cls), cls)
        return {"$ref": f"#/$defs/{self._names[cls]}"}


def closed_object(properties: Mapping[str, Any], cls: type[Settings]) -> JsonSchema:
    """The schema of a map with these keys, of which the settings of `cls` may be required."""
    required = [name for name, fact in settings_of(cls).items() if fact.required]
    return {
        "type": "object",
        "properties": dict(properties),
        **({"required": required} if required else {}),
        "additionalProperties": False,
    }


def either(*schemas: JsonSchema) -> JsonSchema:
    """What one of the schemas accepts, as flat as possible."""
    found: list[JsonSchema] = []
    for schema in schemas:
        parts = schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]
        found += [part for part in parts if part not in found]
    if {} in found:
        return {}
    plain = [name for part in found if part.keys() == {"type"} for name in _types(part)]
    if plain:
        names = list(dict.fromkeys(plain))
        rest = [part for part in found if not set(_types(part)) <= set(names)]
        merged = {"type": names[0] if len(names) == 1 else names}
        found = [merged, *rest]
    return found[0] if len(found) == 1 else {"anyOf": found}


def or_null(schema: JsonSchema) -> JsonSchema:
    """What the schema accepts, or null.

    Where an alternative names types, null is one of them: as an alternative of its own it would be
    what editors say is expected.
    """
    parts = schema["anyOf"] if schema.keys() == {"anyOf"} else [schema]
    for place, part in enumerate(parts):
        if "type" in part:
            names = list(dict.fromkeys((*_types(part), "null")))
            more = [*parts[:place], {**part, "type": names}, *parts[place + 1 :]]
            return more[0] if len(more) == 1 else {"anyOf": more}
    return either(schema, NULL)


def _types(schema: JsonSchema) -> list[str]:
    """The types that a schema names, or something that is no type if it names none."""
    named = schema.get("type", "any")
    return [named] if isinstance(named, str) else list(named)


def in_any_case(words: tuple[Any, ...], *patterns: str) -> JsonSchema:
    """A string that is one of the words in any case, for which a schema has no flag."""
    spelt = "|".join("".join(map(_both_cases, word)) for word in words)
    return {
        "type": "string",
        "pattern": "|".join((f"^(?:{spelt})$", *patterns)),
        "patternErrorMessage": f"expected one of {', '.join(words)}",
    }


def _both_cases(letter: str) -> str:
    if letter.lower() != letter.upper():
        return f"[{letter.lower()}{letter.upper()}]"
    return letter if letter == "_" or letter.isalnum() else f"[{letter}]"


def described_by(text: str, more: str = "") -> JsonSchema:
    """The description of a schema; in Markdown with a second paragraph, if there is more."""
    plain = cleandoc(text)
    if not plain:
        return {}
    paragraphs = filter(None, (plain, cleandoc(more)))
    return {"description": plain, "markdownDescription": "\n\n".join(paragraphs)}
