"""The schema of an account file."""

from __future__ import annotations

import types
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any, Union, get_args, get_origin

from engine.pipeline.account_file import KEY
from engine.registry import Registry
from engine.schema.values import JsonSchema, ValueSchemas, closed_object, described_by, either
from engine.sdk.accounts import AccountKind
from engine.sdk.accounts.builtin import BUILTIN_KINDS
from engine.sdk.settings import Account, AccountPerDocument, SettingFacts, settings_of

_FILLED_IN: JsonSchema = {"type": "string", "pattern": r"^=|\$\{env:[A-Za-z_][A-Za-z0-9_]*\}"}
_TEXT: JsonSchema = {"type": ["string", "number", "boolean"]}


def account_schema(registry: Registry) -> JsonSchema:
    kinds = {kind.kind: kind for kind in (*BUILTIN_KINDS, *_kinds_of_snaps(registry))}
    values = _FieldSchemas()
    helps = [cleandoc(kind.__doc__ or "") for kind in kinds.values()]
    rules = {name: _fields(kind, values) for name, kind in kinds.items()}
    return {
        "title": "Snapline account",
        "type": "object",
        "required": [KEY],
        "properties": {
            KEY: {
                "enum": list(kinds),
                "enumDescriptions": helps,
                "markdownEnumDescriptions": helps,
                **described_by("The kind of account."),
            }
        },
        "allOf": [
            {
                "if": {"properties": {KEY: {"const": name}}, "required": [KEY]},
                "then": {"$ref": f"#/$defs/{name}"},
            }
            for name in kinds
        ],
        "$defs": {**rules, **values.definitions},
    }


class _FieldSchemas(ValueSchemas):
    """A field is text as written, or has `${env:NAME}` in it, or is an expression."""

    def setting(self, fact: SettingFacts) -> JsonSchema:
        return {**super().setting(fact), **({"writeOnly": True} if fact.secret else {})}

    def plain(self, kind: Any) -> JsonSchema:
        if kind is str:
            return _TEXT
        found = super().plain(kind)
        return found if kind is types.NoneType else either(found, _FILLED_IN)

    def choice(self, choices: tuple[Any, ...], *patterns: str) -> JsonSchema:
        return super().choice(choices, *patterns, _FILLED_IN["pattern"])


def _fields(kind: type[AccountKind], values: ValueSchemas) -> JsonSchema:
    return {
        **closed_object({KEY: True, **values.properties(kind)}, kind),
        **described_by(kind.__doc__ or "", kind.about),
    }


def _kinds_of_snaps(registry: Registry) -> Iterator[type[AccountKind]]:
    """The kinds that the installed snaps accept."""
    for _, snap in registry.usable():
        for fact in settings_of(snap.settings_class).values():
            yield from _kinds_in(fact.type)


def _kinds_in(kind: Any) -> Iterator[type[AccountKind]]:
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Account, AccountPerDocument):
        yield from get_args(arguments[0]) or arguments
    elif origin in (Union, types.UnionType):
        for argument in arguments:
            yield from _kinds_in(argument)
