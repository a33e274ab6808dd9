"""Schemas as Parquet writes them: `message document { optional int64 id; }`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_TOKEN = re.compile(r"\s*(?:([A-Za-z_][\w.]*)|([0-9]+)|([{}();=,]))")
_REPETITIONS = ("required", "optional", "repeated")
_PRIMITIVES = {
    "boolean": "bool_",
    "int32": "int32",
    "int64": "int64",
    "float": "float32",
    "double": "float64",
    "binary": "binary",
}
_ANNOTATED = {
    "UTF8": "string",
    "STRING": "string",
    "ENUM": "string",
    "JSON": "string",
    "DATE": "date32",
    "INT_8": "int8",
    "INT_16": "int16",
    "INT_32": "int32",
    "INT_64": "int64",
}


class SchemaError(Exception):
    """A schema that cannot be parsed."""


@dataclass(frozen=True, slots=True)
class SchemaField:
    """A field; a group if there are `fields`. `arguments` are those of its annotation."""

    repetition: str
    kind: str
    name: str
    annotation: str
    arguments: tuple[str, ...]
    fields: tuple[SchemaField, ...]

    def to_arrow(self, arrow: Any) -> Any:
        kind = self._kind(arrow)
        if self.repetition == "repeated":
            kind = arrow.list_(kind)
        return arrow.field(self.name, kind, nullable=self.repetition != "required")

    def _kind(self, arrow: Any) -> Any:
        if self.annotation == "LIST":
            inner = self.fields[0]
            element = inner.fields[0] if len(inner.fields) == 1 else inner
            return arrow.list_(element.to_arrow(arrow))
        if self.fields:
            return arrow.struct([field.to_arrow(arrow) for field in self.fields])
        if self.annotation == "DECIMAL":
            precision, scale = (*map(int, self.arguments), 0)[:2]
            return arrow.decimal128(precision, scale)
        if self.annotation.startswith("TIMESTAMP"):
            words = f"{self.annotation} {self.arguments}".upper()
            unit = "us" if "MICROS" in words else "ns" if "NANOS" in words else "ms"
            return arrow.timestamp(unit, tz="UTC")
        return getattr(arrow, _ANNOTATED.get(self.annotation) or _PRIMITIVES[self.kind])()


@dataclass(frozen=True, slots=True)
class Schema:
    fields: tuple[SchemaField, ...]

    def to_arrow(self, arrow: Any) -> Any:
        return arrow.schema([field.to_arrow(arrow) for field in self.fields])


def parse_schema(text: str) -> Schema:
    """Raises SchemaError."""
    reader = _Reader(text)
    reader.expect("message")
    reader.word("the name of the message")
    fields = reader.fields()
    reader.end()
    return Schema(fields)


class _Reader:
    def __init__(self, text: str) -> None:
        self._tokens: list[str] = []
        position = 0
        while position < len(text.rstrip()):
            token = _TOKEN.match(text, position)
            if token is None:
                raise SchemaError(f"unexpected character {text[position:].lstrip()[0]!r}")
            self._tokens.append(token[0].strip())
            position = token.end()
        self._tokens.reverse()

    def fields(self) -> tuple[SchemaField, ...]:
        self.expect("{")
        found = []
        while not self._takes("}"):
            found.append(self._field())
        if not found:
            raise SchemaError("a group has no fields")
        return tuple(found)

    def word(self, what: str) -> str:
        token = self._tokens.pop() if self._tokens else ""
        if re.fullmatch(r"[\w.]+", token) is None:
            raise SchemaError(f"expected {what}, got {token or 'the end'!r}")
        return token

    def expect(self, token: str) -> None:
        if not self._takes(token):
            found = self._tokens[-1] if self._tokens else "the end"
            raise SchemaError(f"expected {token!r}, got {found!r}")

    def end(self) -> None:
        if self._tokens:
            raise SchemaError(f"unexpected {self._tokens[-1]!r} after the schema")

    def _takes(self, token: str) -> bool:
        if self._tokens and self._tokens[-1] == token:
            self._tokens.pop()
            return True
        return False

    def _field(self) -> SchemaField:
        repetition = self.word("required, optional or repeated")
        kind = self.word("a type")
        name = self.word("the name of a field")
        if repetition not in _REPETITIONS:
            raise SchemaError(f"expected required, optional or repeated, got {repetition!r}")
        annotation, arguments = self._annotation()
        if self._takes("="):  # the number of the field
            self.word("a number")
        if kind == "group":
            group = SchemaField(repetition, kind, name, annotation, arguments, self.fields())
            if annotation not in ("", "LIST"):
                raise SchemaError(f"the group {name!r} has {annotation}, which is not supported")
            return group
        if kind not in _PRIMITIVES:
            known = ", ".join(_PRIMITIVES)
            raise SchemaError(f"the type {kind!r} is not supported; use one of: group, {known}")
        self.expect(";")
        return SchemaField(repetition, kind, name, annotation, arguments, ())

    def _annotation(self) -> tuple[str, tuple[str, ...]]:
        if not self._takes("("):
            return "", ()
        name = self.word("an annotation such as STRING")
        arguments = []
        if self._takes("("):
            while not self._takes(")"):
                arguments.append(self.word("a value"))
                self._takes(",")
        self.expect(")")
        return name, tuple(arguments)
