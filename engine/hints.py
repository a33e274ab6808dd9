"""What to do about a mistake: text for people and, if it is that certain, a change for editors.

A hint is a string wherever a string is wanted. One made with changes keeps them on its way from
where the mistake is found, in an expression or a setting, to the `Problem` with a place in a file.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec


class Replacement(msgspec.Struct, frozen=True):
    """Write `new` in place of `old`, characters at or near the problem's place, as YAML gives them.

    An empty `old` is all that is at the place.
    """

    new: str
    old: str = ""


class NewValue(msgspec.Struct, frozen=True):
    """Write this YAML in place of the value, or the key, at the problem's place."""

    yaml: str


class Addition(msgspec.Struct, frozen=True):
    """Set a key of a map to a value, given as YAML.

    The map is at `path` of the file, or without a path at the problem's place. It is added if the
    file does not have it.
    """

    key: str
    yaml: str = ""
    path: tuple[str | int, ...] | None = None


class LineChange(msgspec.Struct, frozen=True):
    """Replace `removed` characters of a line, from `column` on, with `added`; counted from 0."""

    line: int
    column: int
    removed: int = 0
    added: str = ""


class Repair(msgspec.Struct, frozen=True):
    """Change lines of a file that is not valid YAML."""

    changes: tuple[LineChange, ...]


Fix = Replacement | NewValue | Addition | Repair


class Hint(str):
    """A hint with the changes that do what it says: alternatives, the likeliest first."""

    fixes: tuple[Fix, ...]

    def __new__(cls, text: str, fixes: Iterable[Fix] = ()) -> Hint:
        hint = super().__new__(cls, text)
        hint.fixes = tuple(fixes)
        return hint


def fixes_of(hint: str) -> tuple[Fix, ...]:
    """The changes that a hint proposes; none for plain text."""
    return hint.fixes if isinstance(hint, Hint) else ()
