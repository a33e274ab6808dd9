"""Help on the parts of expressions, as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from engine.expressions.functions import Declaration
from engine.language.known import Known, kind_of_value
from engine.reference.expressions import example_line
from engine.sdk.excerpts import excerpt

_MAX_SHOWN = 3
_MAX_READ = 10
_LONGEST = 64
"""Characters, items and entries of a value that are looked at; of an inner one, half of them."""


FACTS: Mapping[str, Mapping[str, str]] = {
    "pipe": {
        "args": "The parameters of the pipeline, by name.",
        "flags": "`is_suggest` is always false.",
        "hostname": "The name of the machine.",
        "instanceId": "An id of the pipeline that is the same in every run.",
        "label": "The name of the pipeline.",
        "parentRuuid": "The id of the run that started this one.",
        "plexPath": "The path of the plex.",
        "projectPath": "The path of the project.",
        "rootRuuid": "The id of the outermost run.",
        "ruuid": "The id of the run.",
        "startTime": "When the run started.",
        "tmpDir": "A folder for temporary files, as a URL.",
        "user": "The user who started the run.",
    },
    "snap": {
        "error": "`totalCount` of its error documents.",
        "errorViews": "The error views.",
        "in": "`totalCount` of its input documents.",
        "inputViews": "The input views by name.",
        "instanceId": "An id of the snap that is the same in every run.",
        "label": "The label of the snap.",
        "out": "`totalCount` of its output documents.",
        "outputViews": "The output views by name.",
    },
}
"""What expressions know of the run and of their snap."""

NAMESPACE_HELP: Mapping[str, str] = {
    "pipe": "The pipeline and its run.",
    "snap": "The snap that evaluates the expression.",
}
KEYWORDS: Mapping[str, str] = {
    "false": "The boolean.",
    "match": "`match x { pattern => value, _ => value }`",
    "null": "No value.",
    "true": "The boolean.",
    "typeof": "`typeof x`: the name of the type.",
}


def function_markdown(declared: Declaration, owner: str = "") -> str:
    """Signature, help and examples of a function; `owner` stands before its name."""
    note = " *Changes the array.*" if declared.mutates else ""
    examples = "\n".join(map(example_line, declared.examples))
    shown = f"\n\n```js\n{examples}\n```" if examples else ""
    return f"```js\n{owner}{declared.signature}\n```\n{declared.help}{note}{shown}"


def kind_text(values: Sequence[Any]) -> str:
    """The kinds of some values: `string`, `number or null`."""
    kinds = dict.fromkeys("null" if value is None else kind_of_value(value) for value in values)
    return " or ".join(kinds)


def examples_text(values: Sequence[Any]) -> str:
    """Some values as Markdown."""
    shown: dict[str, None] = {}
    for value in values[:_MAX_READ]:
        shown[excerpt(_beginning(value)).replace("`", "'")] = None
    return ", ".join(f"`{text}`" for text in list(shown)[:_MAX_SHOWN])


def _beginning(value: Any, depth: int = 0) -> Any:
    """As much of a value as an excerpt can show: it may be a picture or a model."""
    if value.__class__ in (str, bytes):
        return value[:_LONGEST]
    if value.__class__ is list:
        return [_beginning(each, depth + 1) for each in value[: _LONGEST >> depth]]
    if value.__class__ is dict:
        first = islice(value.items(), _LONGEST >> depth)
        return {name: _beginning(each, depth + 1) for name, each in first}
    return value


def known_markdown(known: Known) -> str:
    """What is known of a value: its kind, and examples."""
    if not known.examples:
        return "" if known.kind == "any" else f"*{known.kind}*"
    return f"*{kind_text(known.examples)}*, such as {examples_text(known.examples)}"
