"""Turn columns into rows: each of some fields becomes a document of its own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Literal

from engine.sdk import (
    Document,
    Example,
    Foreign,
    Issue,
    Path,
    Settings,
    Snap,
    TargetPath,
    fields_read,
    setting,
)

Absent = Literal["ignore", "substitute_null", "substitute_empty_string", "substitute_zero"]


class PivotRow(Settings):
    field: Path = setting(help="The field.", example="$Q1")
    if_field_absent: Absent = setting(
        default="ignore",
        help="For a document without the field: make no document, or one with null, an empty "
        "string or 0.",
    )


class PivotSettings(Settings):
    fields: tuple[PivotRow, ...] = setting(
        help="Rows `{field, if_field_absent}`.", example=[{"field": "$Q1"}, {"field": "$Q2"}]
    )
    target_field: TargetPath = setting(help="Where the name of the field goes.", example="$Quarter")
    target_value: TargetPath = setting(
        help="Where the value of the field goes.", example="$Revenue"
    )
    target_field_full_path: bool = setting(
        default=False,
        help="Name a field in an object by its full path; otherwise by its last name.",
    )
    static_fields: bool = setting(
        default=False,
        help="`fields` are those that stay as they are; all others at the top level become rows.",
    )


class Pivot(Snap[PivotSettings]):
    since = "0.4.0"
    about = """
    The other fields are in every document. A document that has none of the fields ends here.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-pivot",
        "Pivot",
        version=1,
        settings={
            "fields[].field": "fields[].field",
            "fields[].ifFieldAbsent": "fields[].if_field_absent",
            "targetField": "target_field",
            "targetValue": "target_value",
            "targetFieldFullPath": "target_field_full_path",
        },
    )
    stateful = False
    plain = True
    changes_input = False
    examples = (
        Example(
            "a document for each quarter",
            settings={
                "fields": [{"field": "$Q1"}, {"field": "$Q2"}],
                "target_field": "$Quarter",
                "target_value": "$Revenue",
            },
            given=[{"id": 1, "Q1": 5, "Q2": 7}],
            expect=[
                {"id": 1, "Quarter": "Q1", "Revenue": 5},
                {"id": 1, "Quarter": "Q2", "Revenue": 7},
            ],
        ),
        Example(
            "all fields but one",
            settings={
                "fields": [{"field": "$id"}],
                "static_fields": True,
                "target_field": "$Quarter",
                "target_value": "$Revenue",
            },
            given=[{"id": 1, "Q1": 5, "Q2": 7}],
            expect=[
                {"id": 1, "Quarter": "Q1", "Revenue": 5},
                {"id": 1, "Quarter": "Q2", "Revenue": 7},
            ],
        ),
    )

    @classmethod
    def check(cls, settings: PivotSettings) -> Iterable[Issue]:
        if not settings.fields and not settings.static_fields:
            yield Issue(("fields",), "there is no field to pivot", "add one such as {field: $Q1}")
        for place, row in enumerate(settings.fields):
            if fields_read([row.field]) is None:
                message = f"{row.field.text!r} does not name a field"
                yield Issue(("fields", place), message, "write its path, such as $Q1 or $sales.Q1")

    def open(self) -> None:
        settings, path = self.settings, self.context.path
        self._fields = [
            (path(row.field), self._name(row.field), row.if_field_absent) for row in settings.fields
        ]
        self._static = frozenset(name for _, name, _ in self._fields)
        self._field_target = path(settings.target_field)
        self._value_target = path(settings.target_value)

    def process(self, document: Document) -> Iterator[Document]:
        if self.settings.static_fields:
            rest = {name: value for name, value in document.items() if name in self._static}
            found = [pair for pair in document.items() if pair[0] not in self._static]
        else:
            rest, found = self._taken(document)
        for name, value in found:
            row = self._field_target.set(rest, name)
            yield self._value_target.set(row, value)

    def _taken(self, document: Document) -> tuple[Document, list[tuple[str, Any]]]:
        """The document without the fields, and their names and values."""
        rest, found = document, []
        for path, name, absent in self._fields:
            value = path.get(document, _NOTHING)
            if value is not _NOTHING:
                rest = path.delete(rest)
                found.append((name, value))
            elif absent != "ignore":
                found.append((name, _SUBSTITUTES[absent]))
        return rest, found

    def _name(self, field: Path) -> str:
        names = self.context.path(field).names or ("",)
        return ".".join(names) if self.settings.target_field_full_path else names[-1]


_NOTHING = object()
_SUBSTITUTES: dict[str, Any] = {
    "substitute_null": None,
    "substitute_empty_string": "",
    "substitute_zero": 0,
}
