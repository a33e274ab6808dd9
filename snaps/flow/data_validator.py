"""Pass on the documents that keep rules; the others fail, with all rules that they break."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from engine.sdk import (
    Batch,
    ConfigurationError,
    DataError,
    Document,
    Example,
    Foreign,
    Issue,
    JsonPath,
    Path,
    Settings,
    Snap,
    excerpt,
    json_value,
    schema_check,
    schema_mistake,
    setting,
)
from snaps.flow.shared.constraints import Constraint, Rule, rule_for


class ConstraintRow(Settings):
    path: Path = setting(help="The value to check.", example="$customer.name")
    constraint: Constraint = setting(
        help="`required` (there is a value, null included), `type`, `minimum` and `maximum` (of a "
        "number), `min_length` and `max_length` (of a string or list; null has the length 0), or "
        "`pattern` (a regular expression that is found in a string).",
        example="min_length",
    )
    value: Any = setting(
        default=None,
        help="The limit, the pattern or the type: string, number, integer, object, array, boolean, "
        "date, time, date-time, local-date-time or any; by default object.",
        example=1,
    )


class DataValidatorSettings(Settings):
    constraints: tuple[ConstraintRow, ...] = setting(
        default=(),
        help="Rows `{path, constraint, value}`. If a path has two rows with one constraint, the "
        "first counts.",
        example=[{"path": "$name", "constraint": "min_length", "value": 1}],
    )
    schema: dict[str, Any] = setting(
        default={},
        help="A JSON Schema for the document; needs the extra `snapline[schema]`.",
        example={"required": ["id"]},
    )
    schema_file: str = setting(
        default="",
        help="A file with a JSON Schema, relative to the pipeline file.",
        example="schemas/order.json",
    )
    validate_json_path: bool = setting(
        default=False,
        help="Fail a document in which a path finds nothing; otherwise only `required` does.",
    )
    standardize_error_output: bool = setting(
        default=False,
        help="Add the list `violations` to the error document: `{path, constraint, "
        "constraint_value, value, message}` for each.",
    )


class DataValidator(Snap[DataValidatorSettings]):
    since = "0.4.0"
    about = """
    A document that breaks a rule is an error document, whose `reason` names every rule that is
    broken. With `on_error: route` the others go on. A path through lists (`$lines[*].id`) checks
    each value that it finds. A `$ref` of a schema cannot lead out of it: nothing is fetched.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-flow-datavalidator",
        "Data Validator",
        version=1,
        settings={
            "constraintMappings[].sourcePath": "constraints[].path",
            "constraintMappings[].constraint": "constraints[].constraint",
            "constraintMappings[].constraintValue": "constraints[].value",
            "validateJsonPath": "validate_json_path",
            "standardizeErrorOutput": "standardize_error_output",
        },
        choices={
            "constraintMappings[].constraint": {
                "MinLength": "min_length",
                "MaxLength": "max_length",
            }
        },
    )
    stateful = False
    plain = True
    changes_input = False
    shares_output = False
    passes_on = True
    examples = (
        Example(
            "documents that break a rule fail",
            settings={
                "constraints": [
                    {"path": "$name", "constraint": "min_length", "value": 1},
                    {"path": "$age", "constraint": "minimum", "value": 18},
                ]
            },
            given=[{"name": "Ada", "age": 36}, {"name": "", "age": 7}],
            on_error="discard",
            expect=[{"name": "Ada", "age": 36}],
        ),
        Example(
            "a JSON Schema",
            settings={
                "schema": {"required": ["id"], "properties": {"id": {"type": "integer"}}},
            },
            given=[{"id": 1}, {"id": "x"}, {}],
            on_error="discard",
            expect=[{"id": 1}],
        ),
    )

    @classmethod
    def check(cls, settings: DataValidatorSettings) -> Iterable[Issue]:
        if not (settings.constraints or settings.schema or settings.schema_file):
            message = "constraints, schema or schema_file is missing"
            yield Issue((), message, "say what to check, for example in constraints")
        if settings.schema and settings.schema_file:
            yield Issue(("schema_file",), "schema and schema_file are set", "leave out one of them")
        if settings.schema:
            yield from _schema_issues(settings.schema)
        for place, row in enumerate(settings.constraints):
            try:
                rule_for(row.constraint, row.value)
            except ValueError as error:
                yield Issue(("constraints", place), f"the constraint {row.constraint!r} {error}")

    @classmethod
    def files_needed(
        cls, settings: DataValidatorSettings
    ) -> Iterable[tuple[tuple[str | int, ...], str]]:
        if settings.schema_file:
            yield ("schema_file",), settings.schema_file

    def open(self) -> None:
        rows: dict[tuple[str, str], _Row] = {}
        for row in self.settings.constraints:
            path = self.context.path(row.path)
            rows.setdefault((row.path.text, row.constraint), _Row(row, path))
        self._rows = list(rows.values())
        self._schema = self._schema_check()

    def process_batch(self, view: str, batch: Batch) -> Batch:
        good: list[int] = []
        for position, document in enumerate(batch.items):
            error: DataError | None
            try:
                violations = list(self._violations(document))
                error = self._error(violations) if violations else None
            except DataError as failure:
                error = failure
            if error is None:
                good.append(position)
            else:
                self.context.failed(error, document, batch.lineage_of(position))
        return batch if len(good) == len(batch) else batch.at(good)

    def _violations(self, document: Document) -> Iterator[Document]:
        for row in self._rows:
            yield from row.violations(document, self.settings.validate_json_path)
        if self._schema is not None:
            for path, message in self._schema(document):
                yield {"path": path, "constraint": "schema", "message": message}

    def _error(self, violations: list[Document]) -> DataError:
        return DataError(
            "the document is not valid",
            "; ".join(f"{each['path']}: {each['message']}" for each in violations),
            "correct the document, or the rules of this snap",
            details={"violations": violations} if self.settings.standardize_error_output else {},
        )

    def _schema_check(self) -> Callable[[Document], Iterator[tuple[str, str]]] | None:
        settings = self.settings
        if not settings.schema_file:
            return schema_check(settings.schema, "schema") if settings.schema else None
        name = settings.schema_file
        data = b"".join(self.context.files.read(name))
        try:
            schema = json_value(data, f"the file {name!r}", "write a JSON Schema as JSON")
        except DataError as error:
            raise ConfigurationError(str(error)) from error
        return schema_check(schema, f"the file {name!r}")


_SCHEMA_TYPES = ("string", "number", "integer", "boolean", "object", "array", "null")


def _schema_issues(schema: dict[str, Any]) -> Iterable[Issue]:
    try:
        mistake = schema_mistake(schema)
    except ConfigurationError:
        return  # the library is missing, which only matters to a run
    if mistake:
        path, message = mistake
        hint = f"the types are: {', '.join(_SCHEMA_TYPES)}" if path[-1:] == ("type",) else ""
        yield Issue(("schema", *path), f"schema is not a JSON Schema: {message}", hint)


class _Row:
    """One row of the settings, ready to check documents."""

    def __init__(self, row: ConstraintRow, path: JsonPath) -> None:
        self._row = row
        self._path = path
        self._rule: Rule = rule_for(row.constraint, row.value)

    def violations(self, document: Document, must_be_there: bool) -> Iterator[Document]:
        values = self._values(document)
        if not values and (must_be_there or self._row.constraint == "required"):
            yield self._violation("is missing")
        for value in values:
            if message := self._rule(value):
                yield self._violation(f"{message}, got {excerpt(value)}", value)

    def _values(self, document: Document) -> list[Any]:
        if not self._path.is_definite:
            return self._path.query(document)
        value = self._path.get(document, _NOTHING)
        return [] if value is _NOTHING else [value]

    def _violation(self, message: str, value: Any = None) -> Document:
        return {
            "path": self._row.path.text,
            "constraint": self._row.constraint,
            "constraint_value": self._row.value,
            "value": value,
            "message": message,
        }


_NOTHING = object()
