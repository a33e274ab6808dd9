"""The examples of a snap for readers: YAML, input, output."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from engine.documents import StreamEnd, StreamStart
from engine.registry import SnapClass
from engine.sdk import AccountKind, Example, HttpResponse
from engine.sdk.settings import settings_of
from engine.sdk.yaml_text import block, inline


class ExampleEntry(msgspec.Struct, frozen=True):
    """One example for readers: its YAML, and what there is before and after, item by item.

    An item is a pair of what it is (`input`, `output`, `file`) and its text.
    """

    title: str
    yaml: str
    items: tuple[tuple[str, str], ...]


def example_entry(snap: SnapClass, example: Example) -> ExampleEntry:
    keys: dict[str, Any] = {"snap": snap.__name__}
    if example.on_error != "stop":
        keys["on_error"] = example.on_error
    yaml_text = block({**keys, **example.settings})
    return ExampleEntry(example.title, yaml_text, tuple(_example_items(example)))


def _example_items(example: Example) -> Iterator[tuple[str, str]]:
    for name, value in example.parameters.items():
        yield "parameter", f"{name}={value}"
    for name, text in example.files.items():
        yield "file", f"{name}: {_json(text)}"
    for name, account in example.accounts.items():
        yield "account", f"{name}: {_account(account)}"
    for name, script in example.databases.items():
        yield "database", f"{name}: {' '.join(script.split())}"
    for request, answer in example.answers.items():
        yield "server", f"{request}: {_answer(answer)}"
    yield from _items("input", example.given)
    yield from _items("output", example.expect)
    for name, text in example.leaves.items():
        yield "writes", f"{name}: {_json(text)}"


def example_lines(entry: ExampleEntry) -> Iterator[str]:
    yield f"Example: {entry.title}.\n"
    yield f"```yaml\n{entry.yaml}```\n"
    yield "```text"
    yield from item_lines(entry)
    yield "```\n"


def item_lines(entry: ExampleEntry) -> Iterator[str]:
    """The items as lines, each kind named once where several follow each other."""
    last = ""
    for word, text in entry.items:
        is_repeated = word == last and word in ("input", "output")
        yield f"{'' if is_repeated else word:<12}{text}"
        last = word


def _items(word: str, items: Any) -> Iterator[tuple[str, str]]:
    views = items if isinstance(items, Mapping) else {"": items}
    if not any(views.values()):
        yield word, "nothing"
    for view, found in views.items():
        for item in found:
            yield word, f"{f'{view}: ' if view else ''}{_item(item)}"


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
