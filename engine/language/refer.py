"""All places that mention what is at a position."""

from __future__ import annotations

from engine.language.answers import Target
from engine.language.mentions import mention_at, mentions, mentions_of
from engine.language.positions import Position, Range
from engine.language.workspace import Document


def refer(document: Document, position: Position, *, declaration: bool = True) -> list[Target]:
    """The places, in all files of the project; without `declaration`, not its definition."""
    mention = mention_at(document, position)
    if mention is None:
        return []
    return [
        Target(owner.path, owner.lines.range(each.start, each.end))
        for owner, found in mentions_of(mention.named, document)
        for each in found
        if declaration or not each.defines
    ]


def highlight(document: Document, position: Position) -> list[Range]:
    """The places in the document itself."""
    mention = mention_at(document, position)
    return [
        document.lines.range(each.start, each.end)
        for each in (mentions(document) if mention else ())
        if mention and each.named == mention.named
    ]
