"""Writes YAML as a person would: block scalars for text of several lines, short rows on one line.

PyYAML's writer can do neither, nor comments. What is written here is read by `engine.pipeline`:
YAML 1.2, where `no` and `12:30` are strings.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from engine.pipeline.scalars import resolve

WIDTH = 100
_SHORT_MAP = 60
_FEW = 3
"""Longer maps, and those with more entries, are easier to read on several lines."""

_INDENT = "  "
_PLAIN_START = re.compile(r"[^\s\-?:,\[\]{}#&*!|>'\"%@`=]|=(?=[ $_\w('\"])")
_CONTROL = r"\x7f-\x9f\u2028\u2029\ufeff\ud800-\udfff"
_NOT_PLAIN = re.compile(rf": | #|:$|[\x00-\x1f{_CONTROL}]|^---|^\.\.\.")
_NOT_IN_BLOCK = re.compile(rf"[\x00-\x08\x0b-\x1f{_CONTROL}]")
_FLOW_INDICATORS = re.compile(r"[,\[\]{}:?]")


class Commented(msgspec.Struct, frozen=True):
    """A value with comment lines above its key."""

    value: Any
    above: tuple[str, ...] = ()


class AsBlock(msgspec.Struct, frozen=True):
    """A map or list that is never written on one line."""

    value: Any


class AsText(msgspec.Struct, frozen=True):
    """A string that may stand without quotes even if it looks like a number, as in a default."""

    text: str


def to_yaml(value: Mapping[str, Any], above: tuple[str, ...] = ()) -> str:
    """The text of a YAML file; `above` are its first comment lines."""
    lines = [*_comment(above, ""), *_map_lines(value, "")]
    return "\n".join(lines) + "\n"


def _map_lines(table: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, item in table.items():
        above: tuple[str, ...] = ()
        if isinstance(item, Commented):
            item, above = item.value, item.above
        yield from _comment(above, indent)
        yield from _entry_lines(f"{indent}{_key(key)}:", item, indent)


def _entry_lines(start: str, value: Any, indent: str) -> Iterator[str]:
    """The lines of a value after its key or dash."""
    is_block = isinstance(value, AsBlock)
    if isinstance(value, AsBlock):
        value = value.value
    short = None if is_block and value else _flow(value)
    if isinstance(value, str | AsText) and (block := _block(value, indent)):
        yield f"{start} {block[0]}"
        yield from block[1:]
    elif short is not None and _stays_short(value, len(start) + 1 + len(short)):
        yield f"{start} {short}"
    elif isinstance(value, dict):
        yield start
        yield from _map_lines(value, indent + _INDENT)
    else:
        yield start
        yield from _list_lines(value, indent + _INDENT)


def _stays_short(value: Any, length: int) -> bool:
    """Whether a value that fits on one line is better read there."""
    if not isinstance(value, dict | list) or not value:
        return True
    if isinstance(value, dict):
        is_plain = all(map(_is_as_plain_in_flow, [*value, *value.values()]))
        return is_plain and length <= _SHORT_MAP and len(value) <= _FEW
    return length <= WIDTH and not any(isinstance(item, dict) for item in value)


def _is_as_plain_in_flow(value: Any) -> bool:
    """Whether a value needs no quotes only because it is inside braces."""
    if isinstance(value, dict | list):
        return True
    return _scalar(value, in_flow=True) == _scalar(value, in_flow=False)


def _list_lines(items: list[Any], indent: str) -> Iterator[str]:
    for item in items:
        if not isinstance(item, dict | list) or not item:
            yield from _entry_lines(f"{indent}-", item, indent)
        elif (short := _row_on_one_line(item, indent)) is not None:
            yield f"{indent}- {short}"
        else:
            inner = indent + _INDENT
            lines = _map_lines(item, inner) if isinstance(item, dict) else _list_lines(item, inner)
            first, *rest = lines
            yield f"{indent}- {first.lstrip()}"
            yield from rest


def _row_on_one_line(item: Any, indent: str) -> str | None:
    if isinstance(item, dict) and len(item) == 1:
        return None
    short = _flow(item)
    return short if short is not None and len(indent) + 2 + len(short) <= WIDTH else None


def _comment(lines: tuple[str, ...], indent: str) -> Iterator[str]:
    for line in lines:
        yield f"{indent}# {line}".rstrip()


def _key(key: str) -> str:
    return _scalar(key, in_flow=False)


def _flow(value: Any) -> str | None:
    """A value on one line; None if it needs several."""
    if isinstance(value, dict):
        pairs = [(_flow_scalar(key), _flow_item(item)) for key, item in value.items()]
        if any(item is None for _, item in pairs):
            return None
        return "{" + ", ".join(f"{key}: {item}" for key, item in pairs) + "}"
    if isinstance(value, list):
        items = [_flow_item(item) for item in value]
        if any(item is None for item in items):
            return None
        return "[" + ", ".join(map(str, items)) + "]"
    if isinstance(value, Commented | AsBlock):
        return None
    return _scalar(value, in_flow=False)


def _flow_item(value: Any) -> str | None:
    if isinstance(value, dict | list | Commented | AsBlock):
        return _flow(value)
    if isinstance(value, str) and "\n" in value:
        return None
    return _scalar(value, in_flow=True)


def _flow_scalar(key: str) -> str:
    return _scalar(key, in_flow=True)


def _scalar(value: Any, *, in_flow: bool) -> str:
    if isinstance(value, AsText):
        return _plain_or_quoted(value.text, in_flow, is_string=_resolved(value.text) is not None)
    if isinstance(value, str):
        return _plain_or_quoted(value, in_flow, is_string=_resolved(value) == value)
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Decimal):
        return str(value)
    return msgspec.json.encode(value).decode()


def _plain_or_quoted(text: str, in_flow: bool, *, is_string: bool) -> str:
    is_plain = (
        is_string
        and text == text.strip()
        and _PLAIN_START.match(text)
        and not _NOT_PLAIN.search(text)
        and not (in_flow and _FLOW_INDICATORS.search(text))
    )
    return text if is_plain else _quoted(text)


def _resolved(text: str) -> Any:
    try:
        return resolve(text)
    except ValueError:
        return None


def _quoted(text: str) -> str:
    """In the quotes that need fewer escapes: single ones know none but their own."""
    if _NOT_IN_BLOCK.search(text) or "\n" in text or ("'" in text and '"' not in text):
        return _double_quoted(text)
    if "'" in text and "\\" not in text and text.count("'") > text.count('"'):
        return _double_quoted(text)
    return "'" + text.replace("'", "''") + "'" if '"' in text or "\\" in text else f'"{text}"'


def _double_quoted(text: str) -> str:
    encoded = msgspec.json.encode(text.encode("utf-8", "surrogatepass").decode("utf-8", "replace"))
    return re.sub(
        r"[\x7f-\x9f\u2028\u2029\ufeff]", lambda found: f"\\u{ord(found[0]):04x}", encoded.decode()
    )


def _block(value: str | AsText, indent: str) -> list[str]:
    """The lines of a block scalar, its header first; empty if the text cannot be one."""
    text = value.text if isinstance(value, AsText) else value
    if "\n" not in text or _NOT_IN_BLOCK.search(text) or not text.strip():
        return []
    body = text.rstrip("\n")
    ending = len(text) - len(body)
    chomping = "-" if ending == 0 else "" if ending == 1 else "+"
    hint = "2" if body[:1] in (" ", "\n", "\t") else ""
    inner = indent + _INDENT
    lines = [inner + line if line else "" for line in body.split("\n")]
    return [f"|{hint}{chomping}", *lines, *[""] * max(ending - 1, 0)]
