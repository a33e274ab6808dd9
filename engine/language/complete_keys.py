"""Keys and values that the schema of a file knows, and those that another file declares."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from engine.language.answers import Completion, CompletionKind
from engine.language.here import Here
from engine.language.related import declared_keys, declared_values
from engine.pipeline.nodes import Table
from engine.pipeline.source import KeyPath

JsonSchema = Mapping[str, Any]
_STEP = "  "
_OF_ALL_SNAPS = ("on_error", "mode", "label", "open_input", "open_output", "unsupported")


def complete_key(here: Here) -> list[Completion]:
    """The keys that the map at the cursor may have and does not have yet."""
    path = here.path if here.spot.part == "between" else here.path[:-1]
    own = str(here.path[-1]) if here.spot.part == "key" else ""
    node = here.node(path)
    taken = set(node.entries) - {own} if isinstance(node, Table) else set()
    if node is not None and not isinstance(node, Table):
        return []
    found = [*_known_keys(here, path, taken), *_declared_keys(here, path, taken)]
    return found or list(_items(here, path))


def _items(here: Here, path: KeyPath) -> Iterator[Completion]:
    """The mark of an item, in a line where a list is expected."""
    parts = here.document.schemas.at(here.document.source.root, path)
    if not here.written and any("array" in _types(part) for part in parts):
        edit = here.replace_scalar("- ")
        yield Completion("-", "keyword", edit, "an item of the list", asks_again=True)


def _known_keys(here: Here, path: KeyPath, taken: set[str]) -> Iterator[Completion]:
    schemas, root = here.document.schemas, here.document.source.root
    required = schemas.required(root, path)
    keys = schemas.keys(root, path)
    is_snap = len(path) == 2 and path[0] == "snaps"
    for place, (name, parts) in enumerate(keys.items()):
        if name in taken:
            continue
        is_own = not is_snap or name not in _OF_ALL_SNAPS
        rank = place + (0 if name in required else 100 if is_own else 200)
        yield _key(here, name, parts, "required" if name in required else "", rank)


def _key(here: Here, name: str, parts: Sequence[JsonSchema], note: str, rank: int) -> Completion:
    described = (part["markdownDescription"] for part in parts if "markdownDescription" in part)
    defaults = [part["default"] for part in parts if "default" in part]
    detail = note or (f"default {_inline(defaults[0])}" if defaults else "")
    text = f"{name}{_ending(here, parts)}"
    asks_again = any("enum" in part or part.get("type") == "boolean" for part in parts)
    return Completion(
        name, "key", here.replace_scalar(text), detail, next(described, ""), rank, asks_again
    )


def _ending(here: Here, parts: Sequence[JsonSchema]) -> str:
    """What follows a new key: the colon, and the beginning of a block if the value is one."""
    if here.has_colon:
        return ""
    kinds = [kind for part in parts for kind in _types(part) if kind != "null"]
    if here.is_flow or not kinds or kinds[0] not in ("object", "array"):
        return ": "
    mark = "- " if kinds[0] == "array" else ""
    return f":{here.line_break}{here.indent}{_STEP}{mark}"


def _types(part: JsonSchema) -> list[str]:
    kinds = part.get("type", [])
    return [kinds] if isinstance(kinds, str) else list(kinds)


def _declared_keys(here: Here, path: KeyPath, taken: set[str]) -> Iterator[Completion]:
    """Keys that another part of the project declares, such as parameters of a pipeline."""
    ending = "" if here.has_colon else ": "
    for found in declared_keys(here, path):
        if found.name not in taken:
            edit = here.replace_scalar(f"{found.name}{ending}")
            yield Completion(found.name, found.kind, edit, found.detail, found.documentation)


def complete_value(here: Here) -> list[Completion]:
    """The values that the schema lists for the key or item at the cursor."""
    schemas, root = here.document.schemas, here.document.source.root
    kind: CompletionKind = "snap" if _is_snap_type(here.path) else "value"
    found: dict[str, Completion] = {}
    for part in schemas.at(root, here.path):
        texts = part.get("markdownEnumDescriptions", ())
        for place, value in enumerate(part.get("enum", ())):
            text = texts[place] if place < len(texts) else ""
            _add(found, here, value, kind, text)
        if set(_types(part)) in ({"boolean"}, {"boolean", "null"}):  # not any plain value
            for value in (True, False):
                _add(found, here, value, "value", "")
    if isinstance(here.path[-1], int):  # an item may be a map, and this its first key
        found.update((each.label, each) for each in _known_keys(here, here.path, set()))
    for each in declared_values(here):
        edit = here.replace_scalar(each.name)
        found[each.name] = Completion(each.name, each.kind, edit, each.detail, each.documentation)
    return list(found.values())


def _is_snap_type(path: KeyPath) -> bool:
    return len(path) == 3 and path[0] == "snaps" and path[2] == "snap"


def _add(
    found: dict[str, Completion], here: Here, value: Any, kind: CompletionKind, text: str
) -> None:
    name = _inline(value)
    edit = here.replace_scalar(name)
    found.setdefault(name, Completion(name, kind, edit, documentation=text, rank=len(found)))


def _inline(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "null" if value is None else str(value)
