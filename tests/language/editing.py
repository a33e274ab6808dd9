"""A document with the cursor at the mark `¦`, and what the language functions answer there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from engine.language import Document, Position, Workspace
from engine.language.answers import Completion, Hover, Signature, TextEdit
from engine.language.complete import complete
from engine.language.hover import hover
from engine.language.signature import signature

Samples = Mapping[str, Sequence[Any]]
SAMPLE = {
    "name": "Ada",
    "age": 36,
    "address": {"city": "Rome", "zip code": "00100"},
    "orders": [{"id": 1, "total": 2.5}],
    "first name": "Ada",
}
SAMPLES: Samples = {"read.output": [SAMPLE]}
HEAD = """\
pipeline: Customers
parameters:
  token: {required: true, secret: true}
  day: "2026-01-01"
snaps:
  read: {snap: JSONGenerator, documents: [{id: 1}]}
"""
LINKS = "links:\n  - read -> x\n"


class _Previews:
    """What the workspace of the tests takes for the samples of every pipeline."""

    samples: Samples = SAMPLES


@cache
def workspace() -> Workspace:
    return Workspace(samples=lambda path: _Previews.samples)


def opened(
    text: str, path: str = "pipeline.yaml", samples: Samples = SAMPLES
) -> tuple[Document, Position]:
    """The document without the mark, and the position of the mark."""
    _Previews.samples = samples
    workspace().refresh()
    document = workspace().open(path, text.replace("¦", ""))
    return document, document.lines.position(text.index("¦"))


def completions(
    text: str, path: str = "pipeline.yaml", samples: Samples = SAMPLES
) -> list[Completion]:
    return complete(*opened(text, path, samples))


def labels(text: str, path: str = "pipeline.yaml", samples: Samples = SAMPLES) -> list[str]:
    return [each.label for each in completions(text, path, samples)]


def chosen(text: str, label: str, path: str = "pipeline.yaml", samples: Samples = SAMPLES) -> str:
    """The text after the completion with this label has been chosen."""
    document, position = opened(text, path, samples)
    found = next(each for each in complete(document, position) if each.label == label)
    return applied(document, found.edit)


def applied(document: Document, edit: TextEdit) -> str:
    start, end = document.lines.index(edit.range.start), document.lines.index(edit.range.end)
    return document.text[:start] + edit.text + document.text[end:]


def hovered(text: str, path: str = "pipeline.yaml", samples: Samples = SAMPLES) -> tuple[str, str]:
    """What the hover is about, and its Markdown; empty strings without a hover."""
    document, position = opened(text, path, samples)
    found: Hover | None = hover(document, position)
    if found is None:
        return "", ""
    start, end = map(document.lines.index, found.range)
    return document.text[start:end], found.markdown


def signed(text: str) -> Signature | None:
    return signature(*opened(text))


def filtered(expression: str) -> str:
    """A pipeline with the expression in a Filter `x` behind the snap `read`."""
    return f"{HEAD}  x:\n    snap: Filter\n    filter: {expression}\n{LINKS}"
