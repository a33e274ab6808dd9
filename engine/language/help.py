"""Help on snaps, settings, views and keys as Markdown, from the same entries as `engine snaps`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.pipeline.spec import ParameterSpec
from engine.reference.examples import ExampleEntry, item_lines
from engine.reference.settings import SettingEntry, default_text, example_text
from engine.reference.snaps import SnapEntry, ViewEntry
from engine.sdk.views import View

_MAX_EXAMPLES = 2
_LONGEST_DEFAULT = 60


def snap_markdown(entry: SnapEntry) -> str:
    """What `engine snaps NAME` prints."""
    return "\n\n".join(filter(None, _parts(entry)))


def _parts(entry: SnapEntry) -> Iterator[str]:
    yield f"**{entry.name}** ({entry.category})"
    yield entry.purpose
    yield _filled(entry.about)
    if entry.settings:
        yield "**Settings**\n\n" + "\n".join(map(_setting_line, entry.settings))
    yield "**Views**\n\n" + "\n".join(map(_view_line, entry.views))
    yield " ".join(entry.facts)
    if entry.ultra:
        yield f"It cannot be used in an ultra task: it {entry.ultra}."
    for example in entry.examples[:_MAX_EXAMPLES]:
        yield _example(example)


def _filled(text: str) -> str:
    """Each paragraph as one line: some editors break lines where the Markdown does."""
    return "\n\n".join(" ".join(each.split()) for each in text.split("\n\n"))


def setting_markdown(entry: SettingEntry) -> str:
    """Type, default, help and example of a setting."""
    default = default_text(entry)
    note = "required" if entry.required else f"default `{default}`" if default else "optional"
    parts = [f"**{entry.name}**: {entry.type}, {note}", entry.help]
    if example := example_text(entry):
        parts.append(f"For example: `{example}`")
    if entry.rows:
        parts.append("A row has:\n\n" + "\n".join(map(_setting_line, entry.rows)))
    return "\n\n".join(filter(None, parts))


def parameter_markdown(parameter: ParameterSpec) -> str:
    """Whether it is required or secret, its default, and its description."""
    notes = ["required"] if parameter.required else []
    if parameter.secret:
        notes.append("secret")
    elif parameter.default is not None:
        default = parameter.default
        notes.append(f"default {_code(default)}" if default else "empty default")
    title = f"**_{parameter.name}**: parameter{''.join(f', {note}' for note in notes)}"
    return "\n\n".join(filter(None, (title, parameter.description)))


def _code(value: str) -> str:
    """A value within a sentence: on one line, cut if it is long."""
    text = " ".join(value.split())
    if len(text) > _LONGEST_DEFAULT:
        text = f"{text[:_LONGEST_DEFAULT]}…"
    return f"`` {text} ``" if "`" in text else f"`{text}`"


def view_markdown(label: str, view: View) -> str:
    """What a view carries."""
    carries = "documents" if view.type == "document" else "binary streams"
    condition = f", those with `{view.condition}`" if view.condition else ""
    return f"**{label}.{view.name}**: {carries}{condition}"


def schema_markdown(name: str, parts: Sequence[Mapping[str, Any]]) -> str:
    """What the schema says about a key; empty if it says nothing."""
    texts = (part["markdownDescription"] for part in parts if "markdownDescription" in part)
    text = next(texts, "")
    return f"**{name}**: {text}" if text else ""


def _view_line(view: ViewEntry) -> str:
    verb = "takes" if view.side == "input" else "sends"
    return f"- `{view.name}` {verb} {view.carries}; without a link: {view.unlinked}"


def _setting_line(entry: SettingEntry) -> str:
    default = default_text(entry)
    note = ", required" if entry.required else f", default `{default}`" if default else ""
    return f"- `{entry.name}` ({entry.type}{note}): {entry.help}"


def _example(entry: ExampleEntry) -> str:
    items = "\n".join(item_lines(entry))
    title = f"{entry.title[:1].upper()}{entry.title[1:]}"
    return f"{title}:\n\n```yaml\n{entry.yaml}```\n```text\n{items}\n```"
