"""The page of the built-in snaps: each with its views, its settings and its examples."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from inspect import cleandoc

from engine.reference.examples import example_lines
from engine.reference.settings import settings_lines
from engine.registry import GROUP, SnapClass, snaps_of
from engine.sdk import View
from engine.sdk.facts import category_of

_DISTRIBUTION = "snapline"

_INTRODUCTION = """\
# Snaps

This page is generated from the declarations of the snaps that come with the engine; every example
on it is run as a test. [Pipeline files](../pipeline-files.md) explains how to write and link them.

## Keys of every snap

| key | value | default | meaning |
|---|---|---|---|
| `snap` | name of a snap | required | The type of the snap. |
| `on_error` | `stop`, `discard` or `route` | `stop`; `route` if the error view is linked | What \
happens to a document that fails: the pipeline stops, the document is discarded, or an error \
document goes to the view `error`. |
| `mode` | `validate_and_execute`, `execute_only` or `disabled` | `validate_and_execute` | \
`disabled` skips the snap and everything downstream of it; the other two run it. |
| `open_input` | boolean | `false` | An input view that needs a link may be without one: it is an \
open input of the pipeline, which a caller feeds. |
| `open_output` | boolean | `true` | Whether output views without a link are open outputs of the \
pipeline; otherwise what leaves there is discarded. |

Besides the views below, every snap has the error view `error`. A setting of the type "or `=`
expression" is an expression if its value starts with `=`; an "expression" always is one.

| snap | category | what it does |
|---|---|---|"""


def builtin_snaps() -> list[SnapClass]:
    """The snap classes of the engine's own distribution, by name."""
    entries = distribution(_DISTRIBUTION).entry_points.select(group=GROUP)
    found = [snap for entry in entries for snap in snaps_of(entry.load())]
    return sorted(found, key=lambda snap: snap.__name__.lower())


def page() -> str:
    snaps = builtin_snaps()
    rows = [
        f"| [{_name(snap)}](#{_name(snap).lower()}) | {category_of(snap)} | {purpose(snap)} |"
        for snap in snaps
    ]
    sections = [line for snap in snaps for line in _section(snap)]
    return "\n".join([_INTRODUCTION, *rows, "", *sections])


def purpose(snap: SnapClass) -> str:
    """The sentence at the top of the snap's file."""
    return (sys.modules[snap.__module__].__doc__ or "").split("\n\n")[0].strip()


def _section(snap: SnapClass) -> Iterator[str]:
    yield f"## {_name(snap)}\n"
    yield f"{purpose(snap)}\n"
    if snap.about:
        yield f"{cleandoc(snap.about)}\n"
    yield "| category | since | in an ultra task | in SnapLogic |\n|---|---|---|---|"
    yield f"| {category_of(snap)} | {snap.since} | {_in_ultra(snap)} | {_foreign(snap)} |\n"
    for fact in _facts(snap):
        yield f"- {fact}"
    yield "\n| view | carries | without a link |\n|---|---|---|"
    for view in snap.views.inputs:
        yield f"| {_view(view)} | {_carried(view)} | {_unlinked_input(view)} |"
    for view in snap.views.outputs:
        yield f"| {_view(view, 'output')} | {_carried(view)} | {_unlinked_output(view)} |"
    yield ""
    yield from settings_lines(snap.settings_class)
    for example in snap.examples:
        yield from example_lines(snap, example)


def _name(snap: SnapClass) -> str:
    return snap.__name__


def _facts(snap: SnapClass) -> Iterator[str]:
    """What users should know about how the snap treats documents."""
    if snap.passes_on:
        yield "Its output documents are its input documents, unchanged."
    elif snap.stateful:
        yield "It keeps state: its output may depend on earlier inputs."
    else:
        yield "It handles each input on its own, without state."
    if not snap.keeps_order:
        yield "The order of the documents may change."
    if snap.writes:
        yield "It has effects outside the pipeline."
    if not snap.replayable:
        yield "Running it again repeats these effects."


def _in_ultra(snap: SnapClass) -> str:
    """Whether it can be used in an ultra task with its default settings."""
    reason = _loses_lineage(snap)
    return f"no: it {reason}" if reason else "yes"


def _foreign(snap: SnapClass) -> str:
    return f"{snap.foreign.name} (`{snap.foreign.class_id}`)" if snap.foreign else "none"


def _loses_lineage(snap: SnapClass) -> str:
    """Why it loses lineage with its default settings."""
    try:
        settings = snap.settings_class()
    except TypeError:  # some settings are required
        return snap.loses_lineage
    return snap.loses_lineage_for(settings)


def _view(view: View, direction: str = "input") -> str:
    if not view.many:
        return f"{direction} `{view.name}`"
    others = " or any other name" if view.named else ""
    return f"{direction} `{view.name}0`, `{view.name}1`, ...{others}"


def _carried(view: View) -> str:
    return "documents" if view.type == "document" else "binary streams"


def _unlinked_input(view: View) -> str:
    if view.many:
        return f"at least {view.minimum} must be linked"
    return {
        "refused": "an error: it must be linked",
        "empty document": "one empty document, `{}`",
        "nothing": "nothing",
        "starts by itself": "one empty document, `{}`; it is not an input of the pipeline",
    }[view.unlinked]


def _unlinked_output(view: View) -> str:
    if view.many:
        return f"at least {view.minimum} must be linked"
    return "nothing is sent" if view.optional else "an output of the pipeline"
