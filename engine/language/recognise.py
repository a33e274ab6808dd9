"""Whether a YAML file is one of ours: an editor shows us all YAML files."""

from __future__ import annotations

import re

from engine.language.workspace import Document
from engine.late_regex import late_regex
from engine.pipeline.load import MAX_BYTES
from engine.pipeline.nodes import Table

_SNAPS = late_regex(r"^snaps[ \t]*:", re.MULTILINE)
_BEGUN = frozenset(("pipeline", "description", "parameters", "libraries", "links"))
_NAMED = {"test": "cases", "pins": "pins"}
"""The key of each kind of file that has a name of its own."""

_KEYS = ("snaps", "cases", "pins", "pipeline", "account")
"""A file without any of these words is not ours; looking for them is faster than reading YAML."""

_ACCOUNTS = "accounts"


def is_ours(document: Document) -> bool:
    """Whether it is a pipeline, task, test or account, by its keys and its name.

    A file of another tool, which the engine would report as a mistake, is not.
    """
    is_in_accounts = document.folder.name == _ACCOUNTS
    may_be = is_in_accounts or not document.text or any(key in document.text for key in _KEYS)
    if not may_be or len(document.text) > MAX_BYTES:
        return False
    root = document.source.root
    keys = frozenset(root.entries) if isinstance(root, Table) else frozenset()
    if document.kind in _NAMED:
        return not keys or _NAMED[document.kind] in keys
    if document.kind == "account":
        return "account" in keys or is_in_accounts
    if document.kind == "task":
        return "pipeline" in keys
    if "snaps" in keys or ("pipeline" in keys and keys <= _BEGUN):
        return True
    return not isinstance(root, Table) and bool(_SNAPS.search(document.text))
