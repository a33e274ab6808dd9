"""The settings of a snap as SnapLogic stores them: the opposite of `conversion`."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any, get_origin

from engine.sdk.facts import Foreign
from engine.sdk.setting_paths import (
    ITEM,
    MAP_COLUMNS,
    alternatives,
    evaluated_type,
    type_at,
)
from engine.sdk.settings import Evaluated, Expression, Path, Settings, rows_in, settings_of
from engine.slp.conversion import group_class, names_of_columns
from engine.slp.literals import name_of_path
from engine.slp.stored import ENCODER, GROUP, TABLE, Json, wrapped


def stored_settings(
    cls: type[Settings],
    foreign: Foreign,
    values: Mapping[str, Any],
    unsupported: Mapping[str, Any],
    texts: Mapping[str, str],
) -> dict[str, Json]:
    """The settings of a snap. `texts` are the contents of the files that settings name."""
    return _SettingsExport(cls, foreign, values).stored(unsupported, texts)


def without_counterpart(
    cls: type[Settings], foreign: Foreign, values: Mapping[str, Any]
) -> list[str]:
    """The settings that SnapLogic's snap does not have, as paths: `form[].file`."""
    known = {
        *foreign.settings.values(),
        *foreign.files.values(),
        *foreign.json.values(),
        *foreign.ports.values(),
        *("account", "input_type", "output_type"),  # the last two are the types of its views
    }
    names = [name for name in values if name in settings_of(cls)]
    found = [path for name in names for path in _unknown(cls, name, values[name], known)]
    return list(dict.fromkeys(found))


def _unknown(cls: type[Settings], path: str, value: Any, known: Collection[str]) -> Iterator[str]:
    """The paths in a value that are not known; a group or table is known by what is in it."""
    if not any(each.startswith((path + GROUP, path + ITEM)) for each in known):
        if path not in known:
            yield path
        return
    rows = value if isinstance(value, list) else []
    mark = TABLE
    if group_class(type_at(cls, path)) is not None:
        rows, mark = [value], GROUP
    for row in rows:
        for name in row if isinstance(row, Mapping) else ():
            yield from _unknown(cls, f"{path}{mark}{name}", row[name], known)


class _SettingsExport:
    def __init__(self, cls: type[Settings], foreign: Foreign, values: Mapping[str, Any]) -> None:
        self.cls = cls
        self.foreign = foreign
        self.values = {**_defaults(cls), **values}
        for name, other in foreign.json.items():
            if name not in values and self.values.get(other) is not None:
                self.values[name] = _json(self.values[other])
        self.found: dict[str, Json] = {}

    def stored(self, unsupported: Mapping[str, Any], texts: Mapping[str, str]) -> dict[str, Json]:
        tables: dict[str, list[tuple[str, str]]] = {}
        written: set[str] = set()
        for key, name in self.foreign.settings.items():
            table, mark, column = key.partition(TABLE)
            if name in written:  # the key of an older snap
                continue
            written.add(name)
            if mark:
                tables.setdefault(table, []).append((column, name))
            elif name in texts:
                continue
            elif key not in self.foreign.files or name in self.values:
                self._put_value(key, name)
        for table, columns in tables.items():
            self._put(table, {"value": list(self._rows(table, columns))})
        for key, name in self.foreign.files.items():
            if name in texts:
                self._put(key, {"value": texts[name]})
        for key, value in unsupported.items():
            self._put_unsupported(key, value)
        return self.found

    def _put_value(self, key: str, name: str) -> None:
        value = _at(self.values, name)
        if value is not None:
            self._put(key, self._wrapped(key, type_at(self.cls, name), value))

    def _wrapped(self, key: str, kind: Any, value: Any) -> Json:
        words = self.foreign.choices.get(key, {})
        kinds = list(alternatives(kind))
        is_evaluated = any(evaluated_type(each) is not None for each in kinds)
        if is_evaluated and isinstance(value, str) and value.startswith("="):
            return {"value": value[1:].strip(), "expression": True}
        value = next((word for word, ours in words.items() if ours == value), value)
        if Expression in kinds and not (Path in kinds and value == ""):
            return {"value": value if isinstance(value, str) else _json(value), "expression": True}
        if key in self.foreign.names and isinstance(value, str):
            value = name_of_path(value)
        return {"value": value, "expression": False} if is_evaluated else {"value": value}

    def _rows(self, table: str, columns: list[tuple[str, str]]) -> Iterator[dict[str, Json]]:
        target = columns[0][1].partition(ITEM)[0]
        for row in self._plain_rows(target):
            stored: dict[str, Json] = {}
            for column, name in columns:
                value = _at(row, name.partition(ITEM)[2].lstrip(GROUP))
                key = f"{table}{TABLE}{column}"
                stored[column] = (
                    {"value": None}
                    if value is None
                    else self._wrapped(key, type_at(self.cls, name), value)
                )
            yield stored

    def _plain_rows(self, target: str) -> Iterator[dict[str, Any]]:
        """The rows of a table, from a list of rows or of values, or from a map."""
        value = _at(self.values, target)
        kind = type_at(self.cls, target)
        if isinstance(value, Mapping):
            key, other = next(_map_columns(kind), MAP_COLUMNS)
            for name, items in value.items():
                for item in items if isinstance(items, list) else [items]:
                    yield {key: name, other: item}
        elif isinstance(value, list | tuple):
            row_class = next(rows_in(kind), None)
            defaults = {} if row_class is None else _defaults(row_class)
            alone = "" if row_class is None else next(iter(settings_of(row_class)))
            for item in value:
                yield {**defaults, **(item if isinstance(item, Mapping) else {alone: item})}

    def _put_unsupported(self, key: str, value: Any) -> None:
        table, mark, column = key.partition(TABLE)
        if not mark:
            self._put(key, wrapped(value))
            return
        rows = _rows_at(self.found, table)
        for place, item in enumerate(value if isinstance(value, list) else [value]):
            while len(rows) <= place:
                rows.append({})
            rows[place][column] = wrapped(item)

    def _put(self, key: str, stored: Json) -> None:
        *groups, name = key.split(GROUP)
        into = self.found
        for group in groups:
            into = into.setdefault(group, {"value": {}})["value"]
        into[name] = stored


def _map_columns(kind: Any) -> Iterator[tuple[str, str]]:
    for each in alternatives(kind):
        if get_origin(each) in (dict, Mapping) and (names := names_of_columns(each, kind)):
            yield names


def _rows_at(found: dict[str, Json], table: str) -> list[dict[str, Json]]:
    *groups, name = table.split(GROUP)
    for group in groups:
        found = found.setdefault(group, {"value": {}})["value"]
    rows: list[dict[str, Json]] = found.setdefault(name, {"value": []})["value"]
    return rows


def _defaults(cls: type[Settings]) -> dict[str, Any]:
    """The defaults of a class as one would write them in YAML."""
    found = {}
    for name, fact in settings_of(cls).items():
        default = fact.default
        if isinstance(default, Evaluated):
            expression = default.expression
            default = default.value if expression is None else f"= {expression.text}"
        elif isinstance(default, Expression | Path):
            default = default.text
        if default is not None:
            found[name] = default
    return found


def _at(values: Mapping[str, Any], path: str) -> Any:
    value: Any = values
    for name in path.split(GROUP):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _json(value: Any) -> str:
    return ENCODER.encode(value).decode()
