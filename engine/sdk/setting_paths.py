"""The types of settings inside groups, rows and maps, found by a path such as `routes[].output`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Literal, get_args, get_origin

from engine.sdk.settings import Evaluated, Settings, settings_of

ITEM = "[]"
MAP_COLUMNS = ("key", "value")


def type_at(cls: type[Settings], path: str) -> Any:
    """The type of the setting at a path; None if there is no such setting.

    `group.name` is a setting in a group, `table[].column` one of a row, `names[]` an item of a
    list, and `map[].key` and `map[].value` the two parts of a map.
    """
    kind: Any = cls
    for step in path.replace(ITEM, f".{ITEM}").split("."):
        kind = _item_of(kind) if step == ITEM else _member_of(kind, step)
        if kind is None:
            return None
    return kind


def alternatives(kind: Any) -> Iterator[Any]:
    """The types of a union; any other type is its only alternative."""
    if get_origin(kind) in (None, tuple, list, dict, Mapping, Evaluated, Literal):
        yield kind
    else:
        for each in get_args(kind):
            yield from alternatives(each)


def evaluated_type(kind: Any) -> Any:
    """The type of the value of a setting that may be an expression; None for any other setting."""
    origin = get_origin(kind) or kind
    if origin is Evaluated:
        return get_args(kind)[0]
    is_text = isinstance(origin, type) and issubclass(origin, Evaluated)  # of an account, or SQL
    return str if is_text else None


def words_of(kind: Any) -> tuple[Any, ...]:
    """The words that a setting of this type accepts; empty if it accepts anything else."""
    for each in alternatives(kind):
        if (inner := evaluated_type(each)) is not None:
            return words_of(inner)
        if get_origin(each) is Literal:
            return get_args(each)
    return ()


class _Columns:
    """Stands for a row of a map: its columns are `key` and `value`."""

    def __init__(self, key: Any, value: Any) -> None:
        self.key = key
        self.value = value


def _item_of(kind: Any) -> Any:
    found = None
    for each in alternatives(kind):
        origin, arguments = get_origin(each), get_args(each)
        if origin in (tuple, list) and arguments:
            return arguments[0]
        if origin in (dict, Mapping):
            found = _Columns(*arguments)
    return found


def _member_of(kind: Any, name: str) -> Any:
    if isinstance(kind, _Columns):
        return getattr(kind, name, None) if name in MAP_COLUMNS else None
    for each in alternatives(kind):
        if isinstance(each, type) and issubclass(each, Settings) and name in settings_of(each):
            return settings_of(each)[name].type
    return None
