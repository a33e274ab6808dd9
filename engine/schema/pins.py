"""The schema of a pin file."""

from __future__ import annotations

from engine.preview.pins import PinSettings
from engine.schema.cases import DOCUMENTS, ELSEWHERE, with_precise
from engine.schema.values import JsonSchema, ValueSchemas, closed_object


def pin_schema() -> JsonSchema:
    values = ValueSchemas()
    return {
        "title": "Snapline pin file",
        **with_precise(
            closed_object(values.properties(PinSettings), PinSettings),
            pins={"type": "object", "additionalProperties": {"$ref": "#/$defs/pin"}},
        ),
        "$defs": {
            "documents": DOCUMENTS,
            "pin": {
                "type": ["array", "object"],
                "properties": ELSEWHERE,
                "additionalProperties": {"$ref": "#/$defs/documents"},
            },
            **values.definitions,
        },
    }
