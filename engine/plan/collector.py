"""Collects the problems of one pipeline while it is resolved."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

import msgspec

from engine.errors import Problem, Severity, Where
from engine.hints import Addition, Hint
from engine.locations import Location
from engine.pipeline.nodes import Node, Scalar, Table
from engine.pipeline.spec import PipelineSpec
from engine.sdk.settings import KEY, nearest_hint

KeyPath = tuple[str | int, ...]
_UNREADABLE = ("yaml-error", "yaml-tag", "yaml-alias", "bad-number")
"""Codes of values that could not be read: no further problems are reported inside them."""

_ABOUT_PLACE = ("unlinked-snap", "unlinked-error-view", "unclear-setting")
"""Codes of warnings that depend on which lines belong together."""

_DECLARING = ("parameters", "libraries")
"""Keys whose maps declare names that expressions use."""

ERROR_PIPELINE = "error_pipeline."
"""Stands for the label of a snap where the settings of the error pipeline are meant; no snap can
have a label with a dot."""

_MAX_COMPARED = 500
_MAX_LISTED = 20


def nearest_of(name: str, known: Collection[str], what: str) -> str:
    """A hint for an unknown name: the nearest known name, or all of them if they are few."""
    near = nearest_hint(name, known) if len(known) <= _MAX_COMPARED else ""
    if near or not 0 < len(known) <= _MAX_LISTED:
        return near
    return f"the {what} are: {', '.join(known)}"


def declare_hint(name: str) -> str:
    """A hint for a parameter that the pipeline does not declare."""
    hint = f"declare it: 'parameters: {{{name}: ...}}'"
    return Hint(hint, [Addition(name, "{required: true}", ("parameters",))])


class ProblemCollector(msgspec.Struct):
    """Problems with their places; the same problem at the same place counts once.

    `library_members` holds the names in each library, as far as its text shows them.
    """

    spec: PipelineSpec
    problems: dict[Problem, None] = msgspec.field(default_factory=dict)
    library_members: dict[str, Collection[str]] = msgspec.field(default_factory=dict)

    def report(
        self,
        code: str,
        where: Location,
        message: str,
        hint: str = "",
        severity: Severity = "error",
    ) -> None:
        self.problems[Problem(code, where, message, hint, severity)] = None

    def add(self, problem: Problem) -> None:
        """Report a problem that has been found in another file."""
        self.problems[problem] = None

    def setting(self, label: str, path: KeyPath, *, at_key: bool = False) -> Location:
        """The place of a setting of a snap; of the snap's label if `path` is empty."""
        source, full = self.spec.source, (*_owner(label), *path)
        return source.where_key(full) if at_key or not path else source.where(full)

    def inside(self, label: str, path: KeyPath, offset: int, length: int) -> Location:
        """The place of characters in a setting; `path` ends with KEY if they are in its key."""
        full, at_key = _full(label, path)
        return self.spec.source.position(full, offset, length, at_key=at_key)

    def path_of(self, label: str, path: KeyPath) -> KeyPath:
        """The path in the file of a setting of a snap."""
        return (*_owner(label), *path)

    def cut_by(self, label: str, path: KeyPath) -> str:
        """The character at which YAML ends a setting before the end of its line."""
        full, at_key = _full(label, path)
        return self.spec.source.cut_by(full, at_key=at_key)

    def is_quoted(self, label: str, path: KeyPath) -> bool:
        """Whether a setting is in YAML quotes."""
        full, at_key = _full(label, path)
        return self.spec.source.is_quoted(full, at_key=at_key)

    def may_be_lost(self, name: str) -> bool:
        """Whether a key of this name may be in lines that could not be read as YAML."""
        source = self.spec.source
        entries = source.root.entries if isinstance(source.root, Table) else {}
        if "snaps" not in entries or not isinstance(entries["snaps"].value, Table):
            return True
        unread = [entries[key].value for key in _DECLARING if key in entries]
        texts = [text for node in unread if not isinstance(node, Table) for text in _texts(node)]
        lost = "\n".join([source.lost_text(), *texts])
        return bool(re.search(rf"(?<!\w){re.escape(name)}(?!\w)\s*:?", lost))

    def all(self) -> list[Problem]:
        """Every problem in the order of the file; those of other files come last.

        If the YAML was repaired, without warnings about where lines belong: they may be wrong. What
        follows a tag, as in `!($a > 1)`, is no mistake of its own.
        """
        unreadable = [p.where for p in self.spec.problems if p.code in _UNREADABLE]
        tagged = {(p.where.path, p.where.line) for p in self.spec.problems if p.code == "yaml-tag"}
        is_repaired = any(problem.code == "yaml-error" for problem in self.spec.problems)
        found = (
            problem
            for problem in dict.fromkeys((*self.spec.problems, *self.problems))
            if not (is_repaired and problem.code in _ABOUT_PLACE)
            and not (
                problem.code == "yaml-error" and (problem.where.path, problem.where.line) in tagged
            )
            and (problem.code in _UNREADABLE or not _is_within(problem.where, unreadable))
        )
        return sorted(found, key=self._order)

    def _order(self, problem: Problem) -> tuple[bool, str, int, int]:
        where = problem.where
        return (where.path != self.spec.path, where.path, where.line, where.column)


def _texts(node: Node) -> Iterator[str]:
    """All keys and values in a node."""
    if isinstance(node, Scalar):
        yield node.text
        return
    if isinstance(node, Table):
        yield from node.entries
    for child in node.children():
        yield from _texts(child)


def _is_within(where: Where, places: Collection[Where]) -> bool:
    return any(
        (where.path, where.line) == (place.path, place.line)
        and place.column <= where.column < place.column + place.length
        for place in places
    )


def _full(label: str, path: KeyPath) -> tuple[KeyPath, bool]:
    """A path of a setting as one of the file, and whether it means the key."""
    at_key = path[-1] == KEY
    return (*_owner(label), *(path[:-1] if at_key else path)), at_key


def _owner(label: str) -> KeyPath:
    """The path of the key under which the settings are."""
    return ("error_pipeline",) if label == ERROR_PIPELINE else ("snaps", label)
