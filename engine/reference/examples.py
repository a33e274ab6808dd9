"""The examples of a snap for readers: YAML, input, output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
import yaml

from engine.documents import StreamEnd, StreamStart
from engine.registry import SnapClass
from engine.sdk import AccountKind, Example, HttpResponse
from engine.sdk.settings import settings_of


def example_lines(snap: SnapClass, example: Example) -> Iterator[str]:
    keys: dict[str, Any] = {"snap": snap.__name__}
    if example.on_error != "stop":
        keys["on_error"] = example.on_error
    yield f"Example: {example.title}.\n"
    yield f"```yaml\n{block({**keys, **example.settings})}```\n"
    yield "```text"
    for name, value in example.parameters.items():
        yield f"parameter   {name}={value}"
    for name, text in example.files.items():
        yield f"file        {name}: {_json(text)}"
    for name, account in example.accounts.items():
        yield f"account     {name}: {_account(account)}"
    for name, script in example.databases.items():
        yield f"database    {name}: {' '.join(script.split())}"
    for request, answer in example.answers.items():
        yield f"server      {request}: {_answer(answer)}"
    yield from _items("input", example.given)
    yield from _items("output", example.expect)
    for name, text in example.leaves.items():
        yield f"writes      {name}: {_json(text)}"
    yield "```\n"


def block(value: Mapping[str, Any]) -> str:
    """YAML on several lines, with multi-line strings as blocks."""
    return yaml.dump(value, Dumper=_ReadableDumper, sort_keys=False, allow_unicode=True, width=100)


def inline(value: Any) -> str:
    """YAML on one line."""
    text = yaml.dump(
        value, Dumper=_ReadableDumper, default_flow_style=True, allow_unicode=True, width=10_000
    )
    return text.removesuffix("\n").removesuffix("\n...")


class _ReadableDumper(yaml.SafeDumper):
    """Writes YAML as people do: multi-line strings as blocks, no doubled quotes."""

    def represent_text(self, text: str) -> yaml.ScalarNode:
        style = "|" if "\n" in text else None
        return self.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        super().increase_indent(flow, False)  # lists are indented below their key

    def choose_scalar_style(self) -> str:
        style, event = super().choose_scalar_style(), self.event
        doubles = isinstance(event, yaml.ScalarEvent) and "'" in event.value
        return '"' if style == "'" and doubles else style


_ReadableDumper.add_representer(str, _ReadableDumper.represent_text)


def _items(word: str, items: Any) -> Iterator[str]:
    views = items if isinstance(items, Mapping) else {"": items}
    if not any(views.values()):
        yield f"{word:<12}nothing"
    for view, found in views.items():
        for item in found:
            yield f"{word:<12}{f'{view}: ' if view else ''}{_item(item)}"
            word = ""


def _item(item: Any) -> str:
    if isinstance(item, StreamStart):
        return f"stream {_json(item.header)}"
    if isinstance(item, StreamEnd):
        return "stream ends early" if item.broken else "end of stream"
    if isinstance(item, bytes):
        return f"bytes {_json(item.decode(errors='backslashreplace'))}"
    return _json(item)


def _answer(response: HttpResponse) -> str:
    kind = response.header("content-type")
    parts = (str(response.status), response.reason, kind, response.body.decode())
    return " ".join(part for part in parts if part)


def _account(account: AccountKind) -> str:
    """The fields that differ from their defaults, without secrets."""
    fields = {"account": account.kind}
    for name, fact in settings_of(type(account)).items():
        value = getattr(account, name)
        if value != fact.default or fact.required:
            fields[name] = "***" if fact.secret else value
    return inline(fields)


def _json(value: Any) -> str:
    return msgspec.json.format(_ENCODER.encode(value), indent=0).decode()


_ENCODER = msgspec.json.Encoder(decimal_format="number")
