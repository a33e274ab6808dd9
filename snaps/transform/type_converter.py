"""Convert texts to numbers and dates, by rules or by what the texts look like."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any, Literal

from engine.sdk import (
    Batch,
    Context,
    DataError,
    Document,
    Example,
    Expression,
    Foreign,
    JsonPath,
    Path,
    Settings,
    Snap,
    Value,
    excerpt,
    setting,
    to_json,
    to_text,
)

Rule = Literal["integer", "decimal", "string", "date_time"]
Convert = Callable[[Value], Value]
"""The converted value. Raises DataError if it cannot be converted."""

_INTEGER = re.compile(r"[+-]?(?:0|[1-9][0-9]{0,99})")
_DECIMAL = re.compile(r"[+-]?(?:[0-9]{0,100}\.[0-9]{1,100}|[0-9]{1,100})(?:[eE][+-]?[0-9]{1,3})?")
_ZERO_FIRST = re.compile(r"[+-]?0[0-9]+")
_INSTANT = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:?\d\d)?", re.ASCII
)
_NUMBER_STARTS = frozenset("+-.0123456789")


class PropertyRow(Settings):
    field: Path = setting(help="The field to convert.", example="$price")
    rule: Rule = setting(
        help="What it becomes: integer, decimal, string or date_time.", example="decimal"
    )
    format: str = setting(
        default="",
        help="How a date is written, as in `Date.parse`; by default ISO.",
        example="dd/MM/yyyy",
    )


class TypeConverterSettings(Settings):
    auto: bool = setting(
        default=False,
        help="Convert every text at the top level of the document that looks like an integer, a "
        "decimal or an ISO date and time, unless a row names its field.",
    )
    properties: tuple[PropertyRow, ...] = setting(
        default=(),
        help="Rows `{field, rule, format}`.",
        example=[{"field": "$price", "rule": "decimal"}],
    )
    fail_safe: bool = setting(
        default=False,
        help="Leave a value as it is if a row cannot convert it; otherwise it fails the document.",
    )


class TypeConverter(Snap[TypeConverterSettings]):
    since = "0.4.0"
    about = """
    With `auto`, `007` stays a text, because zeros at its beginning would be lost, and so does a
    date without a time. Null and missing fields are left alone.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-mldatapreparation-typeconverter",
        "Type Converter",
        version=1,
        settings={
            "auto": "auto",
            "properties[].field": "properties[].field",
            "properties[].rule": "properties[].rule",
            "properties[].format": "properties[].format",
            "failSafe": "fail_safe",
        },
    )
    stateful = False
    plain = True
    changes_input = False
    examples = (
        Example(
            "by what the texts look like",
            settings={"auto": True},
            given=[{"n": "12", "price": "3.50", "code": "007", "name": "bolt"}],
            expect=[{"n": 12, "price": Decimal("3.50"), "code": "007", "name": "bolt"}],
        ),
        Example(
            "by rules",
            settings={
                "properties": [
                    {"field": "$order.n", "rule": "integer"},
                    {"field": "$zip", "rule": "string"},
                ]
            },
            given=[{"order": {"n": "12"}, "zip": 1234}],
            expect=[{"order": {"n": 12}, "zip": "1234"}],
        ),
        Example(
            "a value that cannot be converted fails its document",
            settings={"properties": [{"field": "$n", "rule": "integer"}]},
            given=[{"n": "12"}, {"n": "twelve"}],
            on_error="discard",
            expect=[{"n": 12}],
        ),
    )

    def open(self) -> None:
        rows = self.settings.properties
        self._rows: list[tuple[JsonPath, str, Convert]] = [
            (self.context.path(row.field), row.field.text, _converter(self.context, row))
            for row in rows
        ]
        paths = [path for path, _, _ in self._rows]
        self._ruled = frozenset(path.names[0] for path in paths if path.names)
        self._instant = self.context.function(Expression("Date.parse($value)"))

    def process_batch(self, view: str, batch: Batch) -> Batch:
        results: list[Document] = []
        good: list[int] = []
        for position, document in enumerate(batch.items):
            try:
                results.append(self._converted(document))
            except DataError as error:
                self.context.failed(error, document, batch.lineage_of(position))
            else:
                good.append(position)
        return batch.at(good, results)

    def _converted(self, document: Document) -> Document:
        converted = document
        if self.settings.auto:
            ruled = self._ruled
            converted = {
                name: self._looks(value) if value.__class__ is str and name not in ruled else value
                for name, value in document.items()
            }
        for path, text, convert in self._rows:
            value = path.get(document, None)
            if value is None:
                continue
            try:
                converted = path.set(converted, convert(value))
            except DataError as error:
                if not self.settings.fail_safe:
                    raise DataError(
                        f"could not convert {text!r}", str(error), "correct the value, or set "
                        "fail_safe to leave such values as they are",
                    ) from error  # fmt: skip
        return converted

    def _looks(self, text: str) -> Value:
        """The text as what it looks like."""
        if text[:1] not in _NUMBER_STARTS:
            return text
        if _INTEGER.fullmatch(text):
            return int(text)
        if _DECIMAL.fullmatch(text) and not _ZERO_FIRST.fullmatch(text):
            return Decimal(text)
        if _INSTANT.fullmatch(text):
            try:
                return self._instant({"value": text})
            except DataError:  # there is no such day
                return text
        return text


def _converter(context: Context, row: PropertyRow) -> Convert:
    if row.rule == "date_time":
        text = "Date.parse($value, $format)" if row.format else "Date.parse($value)"
        parse = context.function(Expression(text))
        return lambda value: _instant(parse, value, row.format)
    return {"integer": _integer, "decimal": _decimal, "string": _string}[row.rule]


def _instant(parse: Callable[[Document], Value], value: Value, form: str) -> Value:
    found = parse({"value": value, "format": form})
    if found is None or found != found:  # Date.parse finds null or NaN
        raise DataError(f"{excerpt(value)} is not a date" + (f" like {form}" if form else ""))
    return found


def _decimal(value: Value) -> Value:
    if value.__class__ in (int, float, Decimal):
        return value
    try:
        if value.__class__ is not str or not _DECIMAL.fullmatch(value.strip()):
            raise InvalidOperation
        return Decimal(value.strip())
    except InvalidOperation:
        raise DataError(f"{excerpt(value)} is not a number") from None


def _integer(value: Value) -> Value:
    number: Any = _decimal(value)
    if number != int(number):
        raise DataError(f"{excerpt(value)} is not an integer")
    return int(number)


def _string(value: Value) -> Value:
    if value.__class__ in (dict, list, Decimal):  # a decimal keeps its zeros
        return to_json(value).decode()
    if value.__class__ is bytes:
        try:
            return value.decode()
        except UnicodeDecodeError as error:
            raise DataError(f"the bytes are not UTF-8: {error.reason}") from None
    return to_text(value)
