"""Help for editors: pure functions that answer questions about a file that somebody is typing.

A `Workspace` holds the open files. Each version of a file's text is a `Document`, which computes
what it needs once. Every question is one function in a file of its own: it takes a document and a
`Position` and returns plain values in the terms of the Language Server Protocol. Nothing here knows
how an editor is connected.
"""

from __future__ import annotations

from engine.language.positions import Position, Range
from engine.language.workspace import Document, Workspace

__all__ = ["Document", "Position", "Range", "Workspace"]
