"""Go to the definition of what is at a position."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ConfigurationError, ExpressionSyntaxError
from engine.expressions import parse
from engine.expressions.nodes import Literal, ObjectLiteral, Property
from engine.language.answers import Target
from engine.language.mentions import definition_of, mention_at
from engine.language.named import Named
from engine.language.positions import Position, Range
from engine.language.workspace import Document

_TOP = Range(Position(0, 0), Position(0, 0))


def define(document: Document, position: Position) -> list[Target]:
    """Where a label, parameter, library, function of a library, file, account or snap is defined.

    None for anything else, and for what is not there.
    """
    mention = mention_at(document, position)
    return [] if mention is None else list(filter(None, [target_of(mention.named, document)]))


def target_of(named: Named, document: Document) -> Target | None:
    """The definition of a thing that a document mentions."""
    if named.kind == "file":
        return Target(named.file, _TOP) if Path(named.file).is_file() else None
    if named.kind == "snap":
        return _class(named.name, document)
    if named.kind == "member":
        return _member(named, document)
    found = definition_of(named, document)
    if found is None:
        return None
    owner, mention = found
    return Target(named.file, owner.lines.range(mention.start, mention.end))


def _class(name: str, document: Document) -> Target | None:
    """The line of the class statement of a snap."""
    for file in document.registry.files_of(name):
        if Path(file.path).is_file():
            line = file.classes[name].line - 1
            return Target(file.path, Range(Position(line, 0), Position(line, 0)))
    return None


def _member(named: Named, document: Document) -> Target | None:
    """The key in a library's object; its file if the key is not found."""
    try:
        library = document.workspace.document(named.file)
        root = parse(library.text)
    except ConfigurationError:
        return None
    except ExpressionSyntaxError:
        return Target(named.file, _TOP)
    for entry in root.entries if isinstance(root, ObjectLiteral) else ():
        key = entry.key if isinstance(entry, Property) else None
        if isinstance(key, Literal) and key.value == named.name:
            place = library.lines.range(key.offset, key.offset + key.length)
            return Target(named.file, place)
    return Target(named.file, _TOP)
