"""Tables of settings, with types in plain words."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, Literal, Union, get_args, get_origin

import msgspec

from engine.reference.examples import inline
from engine.sdk import (
    Account,
    AccountPerDocument,
    BoundText,
    Evaluated,
    Expression,
    Path,
    Settings,
    TargetPath,
)
from engine.sdk.settings import SettingFacts, rows_in, settings_of

_WORDS: dict[Any, tuple[str, str]] = {
    Expression: ("expression", "expressions"),
    Path: ("path", "paths"),
    TargetPath: ("target path", "target paths"),
    BoundText: ("string with `$path`, or `=` expression", "strings"),
    str: ("string", "strings"),
    int: ("integer", "integers"),
    float: ("number", "numbers"),
    bool: ("true or false", "true or false"),
    Any: ("any value", "any values"),
}


def settings_lines(cls: type[Settings]) -> Iterator[str]:
    """The table of a settings class, and one for each kind of row in it."""
    facts = settings_of(cls)
    if not facts:
        yield "It has no settings.\n"
        return
    yield from _table("setting", facts.values())
    for name, fact in facts.items():
        for row in rows_in(fact.type):
            yield f"A row of `{name}`:\n"
            yield from _table("key", settings_of(row).values())


def _table(first: str, facts: Any) -> Iterator[str]:
    yield f"| {first} | type | default | meaning | example |\n|---|---|---|---|---|"
    for fact in facts:
        cells = (f"`{fact.name}`", type_text(fact.type), _default(fact), fact.help, _example(fact))
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


def _default(fact: SettingFacts) -> str:
    if fact.required:
        return "required"
    value = fact.default.value if isinstance(fact.default, Evaluated) else fact.default
    value = value.text if isinstance(value, Path | Expression) else value
    if value is None or value in ("", (), [], {}):
        return "none"
    return f"`{value if isinstance(value, str) else msgspec.json.encode(value).decode()}`"


def _example(fact: SettingFacts) -> str:
    return "" if fact.example is None else f"`{inline(fact.example)}`"


def type_text(kind: Any, *, many: bool = False) -> str:
    """A type in plain words: `dict[Path, Expression]` is a map of path to expression."""
    origin, arguments = get_origin(kind), get_args(kind)
    if kind in _WORDS:
        return _WORDS[kind][many]
    if origin in (Account, AccountPerDocument):
        kinds = get_args(arguments[0]) or arguments
        return f"account ({', '.join(f'`{kind.kind}`' for kind in kinds)}) or `=` expression"
    if origin is Evaluated:
        return f"{type_text(arguments[0])} or `=` expression"
    if origin is Literal:
        *others, last = (f"`{choice}`" for choice in arguments)
        return f"{', '.join(others)} or {last}"
    if origin in (Union, types.UnionType):
        return " or ".join(type_text(each) for each in arguments if each is not types.NoneType)
    if origin in (tuple, list):
        return f"list{'s' * many} of {type_text(arguments[0], many=True)}"
    if origin is dict:
        if arguments == (str, Any):
            return "maps" if many else "map"
        return f"map{'s' * many} of {type_text(arguments[0])} to {type_text(arguments[1])}"
    return "rows" if many else "row"
