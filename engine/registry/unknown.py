"""Explains a name that no installed snap has. Imported only when needed."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from engine.hints import Hint, Replacement
from engine.late_regex import late_regex
from engine.registry.files import NOT_DERIVED, folded, snake_case
from engine.registry.platform import SNAPS
from engine.sdk.settings import shown

if TYPE_CHECKING:
    from engine.registry.registry import Registry

_INSTALL = "python -m pip install --editable"
_ENTRY_POINTS = '[project.entry-points."engine.snaps"]'
_SNAP_PACKAGE = late_regex(r"""^[\w.-]+\s*=\s*["']([\w.]+)""", re.MULTILINE)
_MAX_LISTED = 20
_MAX_SUGGESTED = 2
_CLASS_IDS = "com-snaplogic-"
_DATABASES = ("MySQL", "SQLServer", "Oracle", "PostgreSQL", "Snowflake", "Redshift", "JDBC")
"""SnapLogic has snaps for each kind of database."""


def explain_unknown(name: str, registry: Registry) -> tuple[str, str]:
    """Message and hint for the name of a snap that is not installed."""
    message = f"there is no snap called {shown(name)}"
    if hint := _misnamed_snap(name, registry) or _not_installed(name):
        return message, hint
    known = {folded(each): each for each in registry}
    platform = {folded(each): each for each in SNAPS}
    wanted = folded(name)
    if name.startswith(_CLASS_IDS):
        wanted = folded(registry.by_foreign_id().get(name) or name.rpartition("-")[2])
    if wanted not in known and wanted in platform:
        return _instead(platform[wanted], known) or _not_yet(platform[wanted])
    near = [*dict.fromkeys((*_near(wanted, known), *_with_its_words(name, known)))]
    if near := near[:_MAX_SUGGESTED]:
        names = [known[each] for each in near]
        fixes = (Replacement(each) for each in names)
        return message, Hint(f"did you mean {' or '.join(map(repr, names))}?", fixes)
    if near := _near(wanted, platform):
        return (
            message,
            f"did you mean SnapLogic's {platform[near[0]]}? It is not available here yet",
        )
    names = list(registry)
    if len(names) > _MAX_LISTED:
        return message, (
            "'engine snaps' lists the installed snaps; a snap of your own is one of them once its "
            f"package is installed, as with '{_INSTALL} .'"
        )
    return message, f"the snaps are: {', '.join(names)}"


def _instead(name: str, known: Mapping[str, str]) -> tuple[str, str] | None:
    """What to say of a snap for one kind of database, if there is one for all kinds."""
    for pack in _DATABASES:
        verb = name.removeprefix(pack)
        generic = known.get(folded(f"SQL{verb}"))
        if verb != name and generic is not None:
            message = f"SnapLogic's {name} is {generic} here"
            hint = f"write 'snap: {generic}'; the account says which database it is"
            return message, Hint(hint, [Replacement(generic)])
    return None


def _not_yet(name: str) -> tuple[str, str]:
    hint = "you can write your own snap: docs/writing-a-snap.md"
    return f"SnapLogic's {name} is not available here yet", hint


def _misnamed_snap(name: str, registry: Registry) -> str:
    """The hint if a file should contain the snap but does not, or has it under another name."""
    for file in registry.files:
        statement = file.classes.get(name)
        if statement and folded(name) == file.key:  # or its file would have been found
            return f"the class {name} in {file.path}:{statement.line} is not a snap; {NOT_DERIVED}"
        if statement and file.is_snap(name):
            return file.misplacement(name)
        if not statement and file.key == folded(name) and not file.snap_name:
            return f"{file.path} has no class {name}, but a snap's file is named after its class"
    return ""


def _not_installed(name: str) -> str:
    """The hint if a package of this folder, or of one above it, would provide the snap.

    Its code is not run: whoever installs a package trusts it.
    """
    with suppress(OSError, ValueError):  # an unreadable folder, or a name that no file can have
        here = Path.cwd()
        for folder in (here, *here.parents):
            project = folder / "pyproject.toml"
            if project.is_file():
                text = project.read_text(encoding="utf-8")
                return _in_packages(name, folder, text.partition(_ENTRY_POINTS)[2])
    return ""


def _in_packages(name: str, folder: Path, declared: str) -> str:
    """The hint if one of the declared packages of a project has a file for the snap."""
    for module in _SNAP_PACKAGE.findall(declared.partition("\n[")[0]):
        file = folder.joinpath(*module.split(".")) / f"{snake_case(name)}.py"
        if file.is_file():
            install = f"{_INSTALL} {shlex.quote(os.path.relpath(folder))}"
            return f"it is in {os.path.relpath(file)}; install its package: {install}"
    return ""


def _near(name: str, known: Iterable[str]) -> list[str]:
    """The known names that `name` is a misspelling of, nearest first.

    Snaps share half their names (CSVParser, JSONParser), so this counts typos, not similarity.
    """
    limit = 1 if len(name) < 12 else 2
    slips = {each: _slips(name, each, limit) for each in known}
    near = sorted((count, each) for each, count in slips.items() if count <= limit)
    return [each for _, each in near][:_MAX_SUGGESTED] or _longer(name, known)


def _with_its_words(name: str, known: Mapping[str, str]) -> list[str]:
    """The known snaps that have all words of `name`, in any order and form, the shortest first.

    `DeleteFile` is FileDelete, and `ReadFile` FileReader. Names are split at their capitals.
    """
    words = snake_case(name).split("_")
    found = [
        key
        for key, each in sorted(known.items(), key=lambda item: len(item[1]))
        if all(any(its.startswith(word) for its in snake_case(each).split("_")) for word in words)
    ]
    return found[:_MAX_SUGGESTED] if len(words) > 1 else []


def _longer(name: str, known: Iterable[str]) -> list[str]:
    """The known names that start or end with `name`, unless there are too many."""
    found = [each for each in known if each.startswith(name) or each.endswith(name)]
    return found if len(name) > 3 and len(found) <= _MAX_SUGGESTED else []


def _slips(name: str, other: str, limit: int) -> int:
    """How many letters were left out, added, replaced or swapped with the next."""
    if abs(len(name) - len(other)) > limit:
        return limit + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(name, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            cost = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted))
            if i > 1 and j > 1 and letter == other[j - 2] and name[i - 2] == wanted:
                cost = min(cost, earlier[j - 2] + 1)
            row.append(cost)
    return row[-1]
