"""What the functions of this package answer: plain values in the terms of language servers."""

from __future__ import annotations

from typing import Literal

import msgspec

from engine.errors import Severity
from engine.language.positions import Range

CompletionKind = Literal[
    "account",
    "constant",
    "field",
    "file",
    "folder",
    "function",
    "key",
    "keyword",
    "label",
    "library",
    "method",
    "namespace",
    "parameter",
    "snap",
    "value",
    "variable",
    "view",
]


class TextEdit(msgspec.Struct, frozen=True):
    """Put `text` in place of what is at the range of a document."""

    range: Range
    text: str


class Target(msgspec.Struct, frozen=True):
    """A place in a file: what LSP calls a location."""

    path: str
    range: Range


class Diagnostic(msgspec.Struct, frozen=True):
    """A problem in a document. One in another file is `elsewhere`; `range` then is the place of
    the document that names that file, or its first line."""

    range: Range
    code: str
    message: str
    hint: str = ""
    severity: Severity = "error"
    elsewhere: Target | None = None


class Completion(msgspec.Struct, frozen=True):
    """One thing that could be written at a position.

    `edit` replaces what has been typed of it; its text is plain, without snippet placeholders.
    `detail` is short, `documentation` is Markdown. Smaller `rank`s come first. With `asks_again`,
    the editor should open the list again after the edit.
    """

    label: str
    kind: CompletionKind
    edit: TextEdit
    detail: str = ""
    documentation: str = ""
    rank: int = 0
    asks_again: bool = False


class Hover(msgspec.Struct, frozen=True):
    """Markdown about what is at the range."""

    range: Range
    markdown: str


class Signature(msgspec.Struct, frozen=True):
    """A function around the cursor; `active` is the parameter that the cursor is in, if any."""

    label: str
    documentation: str
    parameters: tuple[str, ...] = ()
    active: int | None = None
