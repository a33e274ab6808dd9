"""The page of the kinds of accounts, and the JSON Schema of account files."""

from __future__ import annotations

import types
from collections.abc import Iterator
from inspect import cleandoc
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from engine.pipeline.account_file import KEY
from engine.reference.settings import setting_entries, settings_lines
from engine.sdk.accounts import BUILTIN_KINDS, AccountKind
from engine.sdk.settings import SettingFacts, settings_of

_INTRODUCTION = """\
# Kinds of accounts

This page is generated from the declarations of the accounts that come with the engine.
[Accounts](../accounts.md) explains how to write account files and how snaps name them. A value may
contain `${env:NAME}`; one of a *secret* field should. One that begins with `=` is an expression.
The [JSON Schema](accounts.schema.json) of account files lets an editor complete and check them.
"""
_FILLED_IN = {"type": "string", "pattern": r"^=|\$\{env:[A-Za-z_][A-Za-z0-9_]*\}"}


def page() -> str:
    return "\n".join([_INTRODUCTION, *(line for kind in BUILTIN_KINDS for line in _section(kind))])


def schema() -> str:
    """The JSON Schema of an account file, as text."""
    found = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Account",
        "type": "object",
        "required": [KEY],
        "properties": {KEY: {"enum": [kind.kind for kind in BUILTIN_KINDS]}},
        "oneOf": [_schema_of(kind) for kind in BUILTIN_KINDS],
    }
    return msgspec.json.format(msgspec.json.encode(found), indent=2).decode() + "\n"


def _section(kind: type[AccountKind]) -> Iterator[str]:
    yield f"## `{kind.kind}`\n"
    yield f"{cleandoc(kind.__doc__ or '')}\n"
    if kind.about:
        yield f"{cleandoc(kind.about)}\n"
    secrets = [f"`{fact.name}`" for fact in settings_of(kind).values() if fact.secret]
    if secrets:
        yield f"Secret: {', '.join(secrets)}.\n"
    yield from settings_lines(setting_entries(kind))


def _schema_of(kind: type[AccountKind]) -> dict[str, Any]:
    facts = settings_of(kind)
    return {
        "title": kind.kind,
        "description": cleandoc(kind.__doc__ or ""),
        "properties": {
            KEY: {"const": kind.kind},
            **{fact.name: _property(fact) for fact in facts.values()},
        },
        "required": [KEY, *(fact.name for fact in facts.values() if fact.required)],
        "additionalProperties": False,
    }


def _property(fact: SettingFacts) -> dict[str, Any]:
    described: dict[str, Any] = {"description": fact.help, **_type(fact.type)}
    if not fact.required and fact.default not in (None, "", {}):
        described["default"] = fact.default
    return described


def _type(kind: Any) -> dict[str, Any]:
    if get_origin(kind) in (Union, types.UnionType):
        return _type(next(each for each in get_args(kind) if each is not types.NoneType))
    if get_origin(kind) is dict:
        return {"type": "object", "additionalProperties": _type(get_args(kind)[1])}
    if get_origin(kind) is Literal:
        return {"anyOf": [{"enum": list(get_args(kind))}, _FILLED_IN]}
    if kind is str:
        return {"type": ["string", "number", "boolean"]}
    return {"anyOf": [{"type": _WORDS[kind]}, _FILLED_IN]}


_WORDS = {int: "integer", float: "number", bool: "boolean"}
