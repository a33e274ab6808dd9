"""What a snap does to documents, as plain data, so that several snaps can run as one function.

A snap that gives its steps promises that they and its `process_batch` agree on every document.
Texts are those of the settings; a runtime compiles them (engine.expressions.records).
"""

from __future__ import annotations

import msgspec


class DecodeJson(msgspec.Struct, frozen=True, tag=True):
    """Text → documents: each line is one JSON object."""


class Keep(msgspec.Struct, frozen=True, tag=True):
    """Drop the documents for which the condition is false. It must be true or false."""

    condition: str
    null_safe: bool = False


class Make(msgspec.Struct, frozen=True, tag=True):
    """Make a new document of (target path, expression) rows, which all see the input document.

    With `pass_through` it starts as the input document.
    """

    rows: tuple[tuple[str, str], ...]
    pass_through: bool = False
    null_safe: bool = False


class Share(msgspec.Struct, frozen=True, tag=True):
    """Send every document to all outputs."""


class Merge(msgspec.Struct, frozen=True, tag=True):
    """Pass on the documents of all inputs, in any order between inputs."""


class EncodeJson(msgspec.Struct, frozen=True, tag=True):
    """Documents → text: one JSON object per line, as `to_json_lines` of the sdk writes it."""


class DecodeRows(msgspec.Struct, frozen=True, tag=True):
    """Text → documents of strings: the snap is a `RowSource` of the sdk, which may give the rows
    instead."""


class EncodeRows(msgspec.Struct, frozen=True, tag=True):
    """Documents → text: the snap is a `RowSink` of the sdk, which takes rows of values as well."""


Step = DecodeJson | Keep | Make | Share | Merge | EncodeJson | DecodeRows | EncodeRows
