"""The schema of a test file.

The shorter forms of a value, such as a list of documents, are merged into the schema of its longest
form: editors complete the keys of one map better than those of alternatives.
"""

from __future__ import annotations

from engine.schema.values import (
    OPTIONAL_TEXT,
    SCALAR,
    JsonSchema,
    ValueSchemas,
    closed_object,
    or_null,
)
from engine.sdk.settings import Settings
from engine.testing.cases.settings import (
    CaseSettings,
    ExchangeSettings,
    ExpectationSettings,
    FileExpectationSettings,
    FileSettings,
    HostedTaskSettings,
    MockSettings,
)

_TEXT: JsonSchema = {"type": "string"}
ELSEWHERE: JsonSchema = {
    "file": {**_TEXT, "description": "A file with the documents."},
    "csv": {**_TEXT, "description": "The documents as CSV."},
}
DOCUMENTS: JsonSchema = {
    "type": ["array", "object"],
    "properties": ELSEWHERE,
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}
_CONTENT: JsonSchema = {
    "type": ["string", "array", "object"],
    "properties": {"text": _TEXT, "json": {}, "base64": _TEXT, "file": _TEXT},
    "minProperties": 1,
    "maxProperties": 1,
    "additionalProperties": False,
}


def test_schema() -> JsonSchema:
    values = ValueSchemas()
    return {
        "title": "Snapline test file",
        **with_precise(
            closed_object(values.properties(FileSettings), FileSettings),
            cases={
                "type": "object",
                "minProperties": 1,
                "additionalProperties": {"$ref": "#/$defs/case"},
            },
        ),
        "$defs": {
            "case": _case(values),
            "documents": DOCUMENTS,
            "content": _CONTENT,
            "mock": _mock(values),
            "expectation": _expectation(values, ExpectationSettings),
            "file_expectation": _file_expectation(values),
            **values.definitions,
        },
    }


def _case(values: ValueSchemas) -> JsonSchema:
    return with_precise(
        closed_object(values.properties(CaseSettings), CaseSettings),
        parameters={"type": ["object", "null"], "additionalProperties": SCALAR},
        input={
            "type": ["array", "object", "null"],
            "properties": ELSEWHERE,
            "additionalProperties": {"$ref": "#/$defs/documents"},
        },
        files={"type": ["object", "null"], "additionalProperties": {"$ref": "#/$defs/content"}},
        mocks={"type": ["object", "null"], "additionalProperties": {"$ref": "#/$defs/mock"}},
        task=or_null(values.row(HostedTaskSettings)),
        expect={
            "type": ["object", "null"],
            "properties": {
                "failure": {
                    **OPTIONAL_TEXT,
                    "description": "A part of the message with which the run fails.",
                },
                "diagnostics": {
                    "type": ["array", "null"],
                    "items": _TEXT,
                    "description": "The codes that `engine validate` reports.",
                },
                "files": {
                    "type": ["object", "null"],
                    "additionalProperties": {"$ref": "#/$defs/file_expectation"},
                    "description": "What files that the pipeline writes must hold, by name.",
                },
            },
            "additionalProperties": {"$ref": "#/$defs/expectation"},
        },
    )


def _mock(values: ValueSchemas) -> JsonSchema:
    """Documents, documents per view, or what the snap does instead of running."""
    mock = closed_object(values.properties(MockSettings), MockSettings)
    mock["properties"]["http"]["items"] = values.row(ExchangeSettings)
    return {
        **mock,
        "type": ["array", "object"],
        "properties": {**mock["properties"], **ELSEWHERE},
        "additionalProperties": {"$ref": "#/$defs/documents"},
    }


def _expectation(values: ValueSchemas, cls: type[Settings]) -> JsonSchema:
    """Documents, or what is expected of them."""
    documents = or_null({"$ref": "#/$defs/documents"})
    found = with_precise(
        closed_object(values.properties(cls), cls),
        equals=documents,
        subset=documents,
        contains=documents,
    )
    found["properties"].update(ELSEWHERE)
    return {**found, "type": ["array", "object"]}


def _file_expectation(values: ValueSchemas) -> JsonSchema:
    return {
        **_expectation(values, FileExpectationSettings),
        "type": ["string", "array", "object"],
    }


def with_precise(schema: JsonSchema, **precise: JsonSchema) -> JsonSchema:
    """The schema with more precise schemas for the values of some settings."""
    properties = schema["properties"]
    for name, value in precise.items():
        kept = ("description", "markdownDescription")
        described = {key: properties[name][key] for key in kept if key in properties[name]}
        properties[name] = {**value, **described}
    return schema
