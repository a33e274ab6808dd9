"""What is mentioned in a document, and where in a project a thing is mentioned.

Go to definition, references, rename and links are views of these mentions.
"""

from __future__ import annotations

from collections.abc import Iterator

from engine.errors import ConfigurationError
from engine.language.case_mentions import mentions_in_pins, mentions_in_task, mentions_in_tests
from engine.language.named import Mention, Mentions, Named
from engine.language.pipeline_mentions import mentions_in_pipeline
from engine.language.positions import Position
from engine.language.project import project_documents
from engine.language.workspace import Document

_READERS = {
    "pipeline": mentions_in_pipeline,
    "test": mentions_in_tests,
    "pins": mentions_in_pins,
    "task": mentions_in_task,
    "account": Mentions,
}


def mentions(document: Document) -> Mentions:
    """Everything that the document mentions."""
    return _READERS[document.kind](document)


def mention_at(document: Document, position: Position) -> Mention | None:
    """The shortest mention around a position; one that ends there counts, and so does a parameter
    whose `_` is there."""
    index = document.lines.index(position)
    found = list(mentions(document))
    around = [each for each in found if each.start <= index <= each.end]
    if not around and document.text.startswith("_", index):
        around = [each for each in found if each.start == index + 1]
    return min(around, key=lambda mention: mention.end - mention.start, default=None)


def mentions_of(named: Named, document: Document) -> Iterator[tuple[Document, list[Mention]]]:
    """The mentions of a thing by file: the document's first, then those of the project."""
    text = named.name or named.file.rpartition("/")[2].partition(".")[0]
    for each in project_documents(document):
        if text in each.text or each is document:
            found = [mention for mention in mentions(each) if mention.named == named]
            if found:
                yield each, found


def definition_of(named: Named, document: Document) -> tuple[Document, Mention] | None:
    """Where the pipeline itself defines a label, parameter or library."""
    try:
        owner = document.workspace.document(named.file)
    except ConfigurationError:
        return None
    for mention in mentions(owner):
        if mention.defines and mention.named == named:
            return owner, mention
    return None
