"""Settings of a snap: declared once with type, default and help; everything else is derived.

A settings class is a frozen dataclass; engine.sdk.conversion creates one from the values in a
pipeline file.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import (
    Any,
    Generic,
    TypeVar,
    cast,
    dataclass_transform,
    get_args,
)
from typing import get_type_hints as type_hints_of

import msgspec

from engine.errors import Severity
from engine.hints import Hint, Replacement
from engine.sdk.excerpts import in_json

_MAX_NEAREST = 2
_SURELY_MEANT = 0.85
"""A name that is so similar is the only one that is suggested."""

A = TypeVar("A")
T = TypeVar("T")
S = TypeVar("S", bound="Settings")
Key = str | int
KeyPath = tuple[Key, ...]


class Expression(msgspec.Struct, frozen=True):
    """A setting that is an expression: its text, compiled when the snap opens."""

    text: str


class Path(msgspec.Struct, frozen=True):
    """A setting that is a path into a document (`$a.b`, `$list[*].x`)."""

    text: str


class TargetPath(Path, frozen=True):
    """A path for writing; its names end only at `.`, `[` and `(`."""


class Evaluated(msgspec.Struct, Generic[T], frozen=True):
    """A setting that may be an expression: it is one if its text starts with `=`.

    `kind` is the type of the value; the expression's result is converted to it.
    """

    value: T | None = None
    expression: Expression | None = None
    kind: Any = str


class BoundText(Evaluated[str], frozen=True):
    """Text, or an expression for it, in which the snap binds `$path` to a value of the document."""


class Account(Evaluated[str], Generic[A], frozen=True):
    """A setting that names an account, or an expression for the name: `Account[BasicAccount]`.

    `kinds` are the classes of accounts that it accepts. The name is computed once per run.
    """

    kinds: tuple[type[A], ...] = ()


class AccountPerDocument(Account[A], Generic[A], frozen=True):
    """An account whose name may depend on the document."""


def setting(
    *,
    help: str,  # noqa: A002
    default: Any = dataclasses.MISSING,
    example: Any = None,
    secret: bool = False,
) -> Any:
    """Declare a setting, required unless it has a default. List and map defaults are copied.

    A `secret` is for accounts: it is not shown in the object's repr or in any message.
    """
    metadata = {"help": help, "example": example, "secret": secret}
    if isinstance(default, list | dict):
        return dataclasses.field(default_factory=default.copy, metadata=metadata, repr=not secret)
    return dataclasses.field(default=default, metadata=metadata, repr=not secret)


def outside_setting() -> Any:
    """The setting `allow_outside`, for snaps with a setting that names a file."""
    return setting(
        default=False,
        help="Allow data to name files anywhere. Otherwise, values from the document cannot lead "
        "out of the folder with which the expression begins, or out of the project.",
    )


@dataclass_transform(
    field_specifiers=(setting, outside_setting), frozen_default=True, kw_only_default=True
)
class Settings:
    """Base of all settings classes, and of the rows of a table in them."""

    def __init_subclass__(cls) -> None:
        dataclass(frozen=True, kw_only=True)(cls)

    def settled(self: S) -> S:
        """The final settings: override it if the meaning of one depends on others."""
        return self


class NoSettings(Settings):
    """The settings of a snap that has none."""


class Issue(msgspec.Struct, frozen=True):
    """A mistake in the value at `path` of some settings; with `at_key`, in the key itself.

    It has no place in a file yet: the checker turns it into a Problem.
    """

    path: KeyPath
    message: str
    hint: str = ""
    code: str = "bad-setting"
    severity: Severity = "error"
    at_key: bool = False


class SettingFacts(msgspec.Struct, frozen=True):
    """The declaration of one setting, for documentation, schema and error messages."""

    name: str
    type: Any
    help: str
    required: bool
    default: Any
    example: Any
    secret: bool = False


def settings_of(cls: type[Settings]) -> Mapping[str, SettingFacts]:
    """The settings that a class declares, in order."""
    return _settings_of(cast(Any, cls))  # mypy considers the class unhashable


@cache
def _settings_of(cls: Any) -> Mapping[str, SettingFacts]:
    hints = type_hints_of(cls, include_extras=True)
    facts = {}
    for field in dataclasses.fields(cls):
        missing = field.default is dataclasses.MISSING
        factory = field.default_factory
        default = None if missing else field.default
        if factory is not dataclasses.MISSING:
            default, missing = factory(), False
        facts[field.name] = SettingFacts(
            name=field.name,
            type=hints[field.name],
            help=field.metadata.get("help", ""),
            required=missing,
            default=default,
            example=field.metadata.get("example"),
            secret=field.metadata.get("secret", False),
        )
    return facts


def rows_in(kind: Any) -> Iterator[type[Settings]]:
    """The settings classes of the rows that a type holds, as in `tuple[Row, ...]`."""
    if isinstance(kind, type) and issubclass(kind, Settings):
        yield kind
    for argument in get_args(kind):
        yield from rows_in(argument)


def expressions_in(value: Any, path: KeyPath = ()) -> Iterator[tuple[KeyPath, Expression | Path]]:
    """Every expression and path in a settings object, with the path of its key."""
    if isinstance(value, Expression | Path):
        yield path, value
    elif isinstance(value, Evaluated):
        if value.expression is not None:
            yield path, value.expression
    elif isinstance(value, Settings):
        for name in settings_of(type(value)):
            yield from expressions_in(getattr(value, name), (*path, name))
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if isinstance(key, Path):
                yield (*path, key.text, KEY), key
            text = key.text if isinstance(key, Path) else key
            yield from expressions_in(item, (*path, text))
    elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
        for index, item in enumerate(value):
            yield from expressions_in(item, (*path, index))


KEY = -1
"""Last element of a key path that refers to the key itself rather than its value."""


def shown(value: Any, limit: int = 60) -> str:
    """A user's value in quotes for a message, shortened if it is long."""
    text = value if isinstance(value, str) else in_json(value)
    if not text.isprintable():  # it might contain control sequences for the terminal
        text = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: limit + 1])
    return f"'{text[:limit]}…'" if len(text) > limit else f"'{text}'"


def nearest_hint(name: str, known: Any, cutoff: float = 0.6) -> str:
    """A "did you mean" for the known names that resemble `name`; empty if there are none."""
    near = nearest_names(name, known, cutoff)
    if not near:
        return ""
    fixes = (Replacement(each, name) for each in near)
    return Hint(f"did you mean {' or '.join(map(repr, near))}?", fixes)


def nearest_names(name: str, known: Any, cutoff: float = 0.6) -> list[str]:
    """At most two of the known names that resemble `name`, the nearest first.

    If none is spelt like it, those with a word in common, or of which it is the beginning.
    """
    # importing it takes a third of the engine's start time
    from difflib import SequenceMatcher, get_close_matches

    folded = {str(candidate).lower(): str(candidate) for candidate in known}
    wanted = name.lower()
    near = get_close_matches(wanted, folded, n=_MAX_NEAREST, cutoff=cutoff)
    if near and SequenceMatcher(None, near[0], wanted).ratio() >= _SURELY_MEANT:
        near = near[:1]
    return [folded[match] for match in near or _related(wanted, folded)]


def _related(name: str, known: Iterable[str]) -> list[str]:
    """The known names with a word of `name`, or that `name` abbreviates, unless there are many."""
    words = {word for word in re.split(r"[\W_]+", name) if len(word) > 2}
    found = [
        each
        for each in known
        if (len(name) > 2 and each.startswith(name)) or words & set(re.split(r"[\W_]+", each))
    ]
    return found if len(found) <= _MAX_NEAREST else []
