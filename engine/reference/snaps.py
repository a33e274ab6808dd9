"""The page of the built-in snaps: each with its views, its settings and its examples."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import distribution
from inspect import cleandoc
from typing import Literal

import msgspec

from engine.reference.examples import ExampleEntry, example_entry, example_lines
from engine.reference.settings import SettingEntry, setting_entries, settings_lines
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


class ViewEntry(msgspec.Struct, frozen=True):
    """A view for readers; `name` of a family is that of its members."""

    side: Literal["input", "output"]
    name: str
    carries: str
    unlinked: str


class SnapEntry(msgspec.Struct, frozen=True):
    """Everything that a snap says about itself, for readers. Texts may hold `code`.

    `ultra`: why it cannot be used in an ultra task with its default settings; empty if it can.
    `foreign` is the name of SnapLogic's snap, `foreign_id` its class id.
    """

    name: str
    category: str
    since: str
    purpose: str
    about: str
    foreign: str
    foreign_id: str
    ultra: str
    facts: tuple[str, ...]
    views: tuple[ViewEntry, ...]
    settings: tuple[SettingEntry, ...]
    examples: tuple[ExampleEntry, ...]


def snap_entry(snap: SnapClass) -> SnapEntry:
    return SnapEntry(
        name=snap.__name__,
        category=category_of(snap),
        since=snap.since,
        purpose=purpose(snap),
        about=cleandoc(snap.about),
        foreign=snap.foreign.name if snap.foreign else "",
        foreign_id=snap.foreign.class_id if snap.foreign else "",
        ultra=_loses_lineage(snap),
        facts=tuple(_facts(snap)),
        views=tuple(_views(snap)),
        settings=setting_entries(snap.settings_class),
        examples=tuple(example_entry(snap, example) for example in snap.examples),
    )


def page() -> str:
    entries = [snap_entry(snap) for snap in builtin_snaps()]
    rows = [
        f"| [{entry.name}](#{entry.name.lower()}) | {entry.category} | {entry.purpose} |"
        for entry in entries
    ]
    sections = [line for entry in entries for line in _section(entry)]
    return "\n".join([_INTRODUCTION, *rows, "", *sections])


def purpose(snap: SnapClass) -> str:
    """The sentence at the top of the snap's file."""
    return (sys.modules[snap.__module__].__doc__ or "").split("\n\n")[0].strip()


def _section(entry: SnapEntry) -> Iterator[str]:
    yield f"## {entry.name}\n"
    yield f"{entry.purpose}\n"
    if entry.about:
        yield f"{entry.about}\n"
    in_ultra = f"no: it {entry.ultra}" if entry.ultra else "yes"
    foreign = f"{entry.foreign} (`{entry.foreign_id}`)" if entry.foreign else "none"
    yield "| category | since | in an ultra task | in SnapLogic |\n|---|---|---|---|"
    yield f"| {entry.category} | {entry.since} | {in_ultra} | {foreign} |\n"
    for fact in entry.facts:
        yield f"- {fact}"
    yield "\n| view | carries | without a link |\n|---|---|---|"
    for view in entry.views:
        yield f"| {view.side} {_names(view)} | {view.carries} | {view.unlinked} |"
    yield ""
    yield from settings_lines(entry.settings)
    for example in entry.examples:
        yield from example_lines(example)


def _names(view: ViewEntry) -> str:
    """The name as code, or those of the members of a family."""
    return ", ".join(f"`{name}`" if name.isidentifier() else name for name in view.name.split(", "))


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


def _loses_lineage(snap: SnapClass) -> str:
    """Why it loses lineage with its default settings."""
    try:
        settings = snap.settings_class()
    except TypeError:  # some settings are required
        return snap.loses_lineage
    return snap.loses_lineage_for(settings)


def _views(snap: SnapClass) -> Iterator[ViewEntry]:
    for view in snap.views.inputs:
        yield ViewEntry("input", _view_name(view), _carried(view), _unlinked_input(view))
    for view in snap.views.outputs:
        yield ViewEntry("output", _view_name(view), _carried(view), _unlinked_output(view))


def _view_name(view: View) -> str:
    if not view.many:
        return view.name
    return f"{view.name}0, {view.name}1, ...{' or any other name' if view.named else ''}"


def _carried(view: View) -> str:
    return "documents" if view.type == "document" else "binary streams"


def _unlinked_input(view: View) -> str:
    if view.many:
        return f"at least {view.minimum} must be linked"
    return {
        "refused": "an error",
        "empty document": "one empty document, `{}`",
        "nothing": "nothing",
        "starts by itself": "one empty document, `{}`; it is not an input of the pipeline",
    }[view.unlinked]


def _unlinked_output(view: View) -> str:
    if view.many:
        return f"at least {view.minimum} must be linked"
    return "nothing is sent" if view.optional else "an output of the pipeline"
