"""Files and accounts that a setting may name."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin

from engine.language.answers import Completion
from engine.language.expression_places import setting_types
from engine.language.here import Here
from engine.plan.accounts import Accounts
from engine.plan.folders import folder_of, local_path, project_of
from engine.sdk.settings import Account, AccountPerDocument

_MAX_ENTRIES = 500
_NAME_END = re.compile(r"[^/\\\s'\",}\]]*")
_DEPTH = 4
"""How many keys lead to a setting that names files, such as `snaps.label.modules.0`."""

_YAML = (".yaml", ".yml")
_WANTED = {
    "directory": (),
    "file": (),
    "folder": (),
    "libraries": (),
    "modules": (".py",),
    "pipeline": (*_YAML, ".slp"),
    "error_pipeline": (*_YAML, ".slp"),
    "script": (".py",),
    "schema_file": (),
    "binary_file": (),
}
"""Names of settings that name files, with the extensions that they take; empty: any."""


def names_file(here: Here) -> bool:
    """Whether the value at the cursor is the path of a file."""
    path, kind = here.path, here.document.kind
    if here.spot.part != "value" or kind == "account" or _setting(here) not in _WANTED:
        return False
    if kind == "pipeline":  # where `pipeline` is its name, and documents may have such keys
        return path != ("pipeline",) and len(path) <= _DEPTH
    return not any(isinstance(step, int) for step in path)


def _setting(here: Here) -> str:
    """The name of the setting that the cursor is in; of one of several values, that of all."""
    path = here.path
    if len(path) > 1 and (isinstance(path[-1], int) or path[-2] == "libraries"):
        return str(path[-2])
    return str(path[-1])


def complete_file(here: Here) -> list[Completion]:
    """The files and folders that continue the path before the cursor."""
    typed = here.typed
    folder, slash, name = typed.rpartition("/")
    if typed.startswith(("=", "'", '"')) or "\\" in typed or "\n" in typed:
        return []
    start = folder_of(here.document.path)
    place = local_path(f"{folder}{slash}", start, project_of(start)) if slash else Path(start)
    wanted = _WANTED[_setting(here)]
    found = [] if place is None else sorted(_entries(place), key=lambda entry: entry[0].lower())
    return [
        Completion(
            f"{entry}/" if is_folder else entry,
            "folder" if is_folder else "file",
            here.replace_word(len(name), f"{entry}/" if is_folder else entry, _NAME_END),
            asks_again=is_folder,
            rank=int(is_folder),
        )
        for entry, is_folder in found
        if is_folder or not wanted or entry.lower().endswith(wanted)
    ]


def _entries(folder: Path) -> Iterator[tuple[str, bool]]:
    """(name, whether it is a folder) of what is in a folder, without hidden entries."""
    try:
        with os.scandir(folder) as entries:
            for number, entry in enumerate(entries):
                if number < _MAX_ENTRIES and not entry.name.startswith((".", "__")):
                    yield entry.name, entry.is_dir()
    except (OSError, ValueError):  # it is not there, or no folder can have this name
        return


def account_kinds(here: Here) -> tuple[Any, ...] | None:
    """The kinds of accounts that the setting at the cursor takes; None if it takes none."""
    if here.spot.part != "value":
        return None
    for kind in setting_types(here, here.path):
        if get_origin(kind) in (Account, AccountPerDocument):
            return get_args(get_args(kind)[0]) or get_args(kind)
    return None


def complete_account(here: Here, kinds: tuple[Any, ...]) -> list[Completion]:
    """The accounts of the project, those of an accepted kind first."""
    if here.typed.startswith("="):
        return []
    folder = folder_of(here.document.path)
    accounts = Accounts(folder, project_of(folder))
    accepted = {kind.kind for kind in kinds}
    found = []
    for name, path in accounts.files().items():
        kind = _kind_of(path)
        rank = 0 if kind in accepted else 1
        edit = here.replace_scalar(name)
        found.append(Completion(name, "account", edit, kind and f"{kind} account", rank=rank))
    return found


def _kind_of(path: Path) -> str:
    """The kind of account that a file declares; empty if it cannot be read."""
    try:
        found = re.search(r"^account[ \t]*:[ \t]*([\w-]+)", path.read_text("utf-8"), re.MULTILINE)
    except (OSError, UnicodeDecodeError):
        return ""
    return "" if found is None else found[1]
