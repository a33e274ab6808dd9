"""The stored settings of a snap as settings of ours, by what the snap says in `foreign`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, get_args, get_origin

import msgspec

from engine.sdk.conversion import convert_partly
from engine.sdk.facts import Foreign
from engine.sdk.setting_paths import ITEM, MAP_COLUMNS, alternatives, type_at
from engine.sdk.settings import Evaluated, Settings, rows_in, settings_of, shown
from engine.slp.literals import NotConvertibleError, path_of_name, value_for
from engine.slp.stored import (
    GROUP,
    TABLE,
    UNSET,
    Flat,
    Leaf,
    Row,
    Table,
    flat,
    simplified,
)
from engine.slp.templates import plain_json, without_comments

IGNORED = ("execution_mode", "executable_during_suggest", "executeDuringPreview")
"""Keys of many snaps that make no difference here, or that are read elsewhere."""


class Unsupported(msgspec.Struct, frozen=True):
    """A stored setting that the snap does not support here: its value as YAML, and what it is."""

    value: Any
    reason: str


class Converted(msgspec.Struct, frozen=True):
    """`settings` differ from the defaults; `unsupported` are by stored key, `texts` by the setting
    that names the file for the text; `unknown` are set keys that nobody knows."""

    settings: dict[str, Any]
    unsupported: dict[str, Unsupported]
    texts: dict[str, str]
    unknown: tuple[str, ...]
    notes: tuple[str, ...]


def convert_settings(
    cls: type[Settings], foreign: Foreign, stored: Mapping[str, Any], *, inline: bool = False
) -> Converted:
    """Convert what a snap stores. With `inline`, texts stay in the settings if there is one."""
    return _Conversion(cls, foreign, stored, inline).result()


class _Conversion:
    def __init__(
        self, cls: type[Settings], foreign: Foreign, stored: Mapping[str, Any], inline: bool
    ) -> None:
        self.cls = cls
        self.foreign = foreign
        self.stored = flat(stored)
        self.values: dict[str, Any] = {}
        self.unsupported: dict[str, Unsupported] = {}
        self.texts: dict[str, str] = {}
        self.notes: list[str] = []
        self.files = {
            key: name
            for key, name in foreign.files.items()
            if not (inline and key in foreign.settings)
        }

    def result(self) -> Converted:
        for key, value in self.foreign.defaults.items():
            self.stored.setdefault(key, Leaf(value))
        for key, name in self.files.items():
            leaf = self.stored.get(key, UNSET)
            if isinstance(leaf, Leaf) and not leaf.is_unset:
                self.texts[name] = leaf.text
        for key, name in self.foreign.settings.items():
            if TABLE not in key and key not in self.files and key not in self._tables():
                self._take(key, name)
        for table, columns in self._tables().items():
            self._take_table(table, columns)
        for key, name in self.foreign.files.items():
            leaf = self.stored.get(key, UNSET)
            if name in self.values and isinstance(leaf, Leaf) and not leaf.is_unset:
                file = shown(self.values.pop(name))
                self.notes.append(f"the file {file} is not used, because {key!r} has a text")
        for name, other in self.foreign.json.items():
            if isinstance(text := self.values.get(name), str):
                self._simplify(name, other, without_comments(text))
        for key, reason in self.foreign.unsupported.items():
            self._report_unsupported(key, reason)
        return Converted(
            settings=_differing(self.cls, self.values),
            unsupported=self.unsupported,
            texts=self.texts,
            unknown=tuple(self._unknown()),
            notes=tuple(self.notes),
        )

    def _simplify(self, name: str, other: str, text: str) -> None:
        """Write a text as values if it is plain JSON."""
        values = plain_json(text)
        if values is None:
            self.values[name] = text
        else:
            del self.values[name]
            self.values[other] = values

    def _take(self, key: str, name: str) -> None:
        leaf = self.stored.get(key)
        if leaf is None:
            return
        kind = type_at(self.cls, name)
        if isinstance(leaf, list):
            if leaf:
                self.unsupported[key] = Unsupported(_plain_rows(leaf), "a table")
            return
        value = self._value(key, kind, leaf)
        if value is not None:
            _put(self.values, name, value)

    def _value(self, key: str, kind: Any, leaf: Leaf, *, is_path: bool = False) -> Any:
        try:
            value = value_for(kind, leaf, self.foreign.choices.get(key, {}), is_path=is_path)
            return path_of_name(value) if key in self.foreign.names and value else value
        except NotConvertibleError as error:
            self.unsupported[key] = Unsupported(_written(leaf), str(error))
            return None

    def _tables(self) -> Mapping[str, list[tuple[str, str]]]:
        """Stored tables and their columns as (column, path of ours)."""
        tables: dict[str, list[tuple[str, str]]] = {}
        for key, name in self.foreign.settings.items():
            table, mark, column = key.partition(TABLE)
            if mark:
                tables.setdefault(table, []).append((column, name))
        return tables

    def _take_table(self, table: str, columns: list[tuple[str, str]]) -> None:
        rows = self.stored.get(table, [])
        if not isinstance(rows, list):
            return
        target = columns[0][1].partition(ITEM)[0]
        found = [self._row(table, row, columns) for row in rows]
        found = [row for row in found if row]
        kind = type_at(self.cls, target)
        if found and target not in self.values:  # an older snap may have had another table
            _put(self.values, target, self._filled(kind, found, table))

    def _row(self, table: str, row: Row, columns: list[tuple[str, str]]) -> dict[str, Any]:
        """The values of a row by column of ours; "" for the item of a list."""
        is_alone = sum(not row.get(column, UNSET).is_unset for column, _ in columns) == 1
        values: dict[str, Any] = {}
        for column, name in columns:
            leaf = row.get(column, UNSET)
            kind = type_at(self.cls, name)
            value = self._value(f"{table}{TABLE}{column}", kind, leaf, is_path=is_alone)
            if value is not None:
                values.setdefault(name.partition(ITEM)[2].lstrip(GROUP), value)
        return values

    def _filled(self, kind: Any, rows: list[dict[str, Any]], table: str) -> Any:
        for each in alternatives(kind):
            if get_origin(each) in (dict, Mapping):
                names = names_of_columns(each, kind)
                if names and (found := self._as_map(each, rows, names, table)) is not None:
                    return found
        row_class = next(rows_in(kind), None)
        if row_class is not None:
            alone = _column_alone(kind, row_class)
            found = [_differing(row_class, row) for row in rows]
            return [row[alone] if row.keys() == {alone} else row for row in found]
        if "" in rows[0]:
            return [row[""] for row in rows if "" in row]
        return self._as_map(kind, rows, MAP_COLUMNS, table, merges=True)

    def _as_map(
        self,
        kind: Any,
        rows: list[dict[str, Any]],
        names: tuple[str, str],
        table: str,
        *,
        merges: bool = False,
    ) -> Any:
        """The rows as a map; None if they cannot be one and there is another way."""
        first, second = names
        may_repeat = any(
            get_origin(each) in (tuple, list) for each in alternatives(get_args(kind)[1])
        )
        found: dict[str, Any] = {}
        for row in rows:
            if first not in row or second not in row or row[first] in found:
                if not merges and names != MAP_COLUMNS:
                    return None
                if first in row and second in row and may_repeat:
                    earlier = found[row[first]]
                    as_list = earlier if isinstance(earlier, list) else [earlier]
                    found[row[first]] = [*as_list, row[second]]
                elif first in row and second in row:
                    self.notes.append(f"'{table}' names {row[first]!r} twice; the last one counts")
                    found[row[first]] = row[second]
                elif second in row:
                    self.notes.append(f"a row of '{table}' without a name was left out")
            else:
                found[row[first]] = row[second]
        return found

    def _report_unsupported(self, key: str, reason: str) -> None:
        for stored, value in self.stored.items():
            table, mark, column = key.partition(TABLE)
            if mark and stored == table and isinstance(value, list):
                leaves = [row.get(column, UNSET) for row in value]
                default = self.foreign.defaults.get(key)
                if any(leaf.matters and leaf.value != default for leaf in leaves):
                    values = [None if leaf.is_unset else _written(leaf) for leaf in leaves]
                    self.unsupported[key] = Unsupported(values, reason)
            elif _is_covered(stored, {key}) and self._is_set(key, value):
                written = _plain_rows(value) if isinstance(value, list) else _written(value)
                self.unsupported[stored] = Unsupported(written, reason)

    def _is_set(self, key: str, value: Leaf | Table) -> bool:
        if isinstance(value, list):
            return any(leaf.matters for row in value for leaf in row.values())
        if key in self.foreign.defaults:
            return not value.is_unset and value.value != self.foreign.defaults[key]
        return value.matters

    def _unknown(self) -> Iterator[str]:
        foreign = self.foreign
        known = {*foreign.settings, *foreign.files, *foreign.ignored, *foreign.unsupported}
        for key, value in _every_leaf(self.stored):
            if value.matters and not _is_covered(key, known) and key not in IGNORED:
                yield key


def _every_leaf(stored: Flat) -> Iterator[tuple[str, Leaf]]:
    seen = set()
    for key, value in stored.items():
        if isinstance(value, Leaf):
            yield key, value
            continue
        for row in value:
            for column, leaf in row.items():
                name = f"{key}{TABLE}{column}"
                if name not in seen and leaf.matters:
                    seen.add(name)
                    yield name, leaf


def _is_covered(key: str, known: set[str]) -> bool:
    """Whether a key is known, or is in a known group or table."""
    if key in known:
        return True
    return any(key.startswith((name + GROUP, name + TABLE)) for name in known)


def names_of_columns(kind: Any, union: Any) -> tuple[str, str] | None:
    """What the columns of a map are called: `key` and `value`, or in a union with rows the names
    in a row, of which the one with the type of the map's keys is the key."""
    row_class = next(rows_in(union), None)
    if row_class is None:
        return MAP_COLUMNS
    facts = settings_of(row_class)
    key_kind = get_args(kind)[0]
    keys = [name for name, fact in facts.items() if key_kind in alternatives(fact.type)]
    others = [name for name in facts if name not in keys]
    return (keys[0], others[0]) if len(keys) == len(others) == 1 else None


def _column_alone(kind: Any, row_class: type[Settings]) -> str:
    """The column that may be written without its row, as in `[$name, {path: $size}]`: the first
    one, if a row may be a value of its type."""
    name, fact = next(iter(settings_of(row_class).items()))
    items = [item for each in alternatives(kind) for item in get_args(each)[:1]]
    return name if any(fact.type in alternatives(item) for item in items) else ""


def _differing(cls: type[Settings], values: Mapping[str, Any]) -> dict[str, Any]:
    """The values in the order of the class, without those that are the default."""
    found = {}
    for name, fact in settings_of(cls).items():
        if name not in values:
            continue
        value = values[name]
        group = group_class(fact.type)
        if group is not None and isinstance(value, dict):
            value = _differing(group, value)
            if not value:
                continue
        if fact.required or not _is_same(
            convert_partly(cls, {name: value}).get(name), fact.default
        ):
            found[name] = value
    return found


def _is_same(value: Any, default: Any) -> bool:
    if isinstance(value, Evaluated) and isinstance(default, Evaluated):
        return (value.value, value.expression) == (default.value, default.expression)
    return bool(value == default)


def group_class(kind: Any) -> type[Settings] | None:
    """The class of a setting that is a group of settings."""
    for each in alternatives(kind):
        if isinstance(each, type) and issubclass(each, Settings):
            return each
    return None


def _put(values: dict[str, Any], path: str, value: Any) -> None:
    *groups, name = path.split(GROUP)
    for group in groups:
        values = values.setdefault(group, {})
    values[name] = value


def _written(leaf: Leaf) -> Any:
    return simplified({"value": leaf.value, "expression": leaf.is_expression})


def _plain_rows(rows: Table) -> list[dict[str, Any]]:
    return [
        {column: _written(leaf) for column, leaf in row.items() if not leaf.is_unset}
        for row in rows
    ]
