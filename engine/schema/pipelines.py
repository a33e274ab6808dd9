"""The schema of a pipeline file: its keys, and the settings of every installed snap."""

from __future__ import annotations

from typing import Any, get_args

from engine.pipeline.spec import Mode, OnError
from engine.plan.plan import ErrorPipeline
from engine.plan.unsupported import CLASS_IDS
from engine.reference.snaps import purpose
from engine.registry import Registry, SnapClass
from engine.schema.values import (
    BOOLEAN,
    OPTIONAL_TEXT,
    SCALAR,
    JsonSchema,
    ValueSchemas,
    closed_object,
    described_by,
)

_LINK_END = r"[^.\s](?:(?!->)[^.])*(?:\.(?:(?!->)[^.])+)?"
_LINK = rf"^\s*{_LINK_END}(?:->\s*{_LINK_END})+$"
_LABEL = r"^(?!.*(?:\.|->)).*\S"
_NAME = r"^[^\s_0-9.-][^\s.-]*$"
_SNAPS = "Label to snap. The labels are the names that links use."
_ON_ERROR = (
    "What happens to a document that fails: the pipeline stops, the document is discarded, or an "
    "error document goes to the view `error`."
)
_MODE = "`disabled` skips the snap and everything downstream of it; the other two run it."
_OPEN_INPUT = "An input view without a link is an open input of the pipeline, fed by its caller."
_OPEN_OUTPUT = (
    "Whether output views without a link are open outputs of the pipeline; otherwise what leaves "
    "there is discarded."
)


def pipeline_schema(registry: Registry) -> JsonSchema:
    values = ValueSchemas()
    snaps = dict(registry.usable())
    rules = {name: _settings(snap, values) for name, snap in snaps.items()}
    error_pipeline = closed_object(values.properties(ErrorPipeline), ErrorPipeline)
    return {
        "title": "Snapline pipeline",
        "type": "object",
        "properties": {
            "pipeline": {**OPTIONAL_TEXT, **described_by("The pipeline's name.")},
            "description": {**OPTIONAL_TEXT, **described_by("What the pipeline is for.")},
            "parameters": _parameters(),
            "libraries": {
                "type": ["object", "null"],
                "propertyNames": {"pattern": _NAME},
                "additionalProperties": OPTIONAL_TEXT,
                **described_by("Name to expression library: a file, imported as `lib.NAME`."),
            },
            "error_pipeline": {
                "anyOf": [OPTIONAL_TEXT, error_pipeline],
                **described_by("The pipeline that gets the error documents of all snaps."),
            },
            "lenient": {
                **BOOLEAN,
                **described_by("Whether a mistake in an expression fails only the documents that "
                               "reach it."),
            },
            "snaps": {
                "type": "object",
                "minProperties": 1,
                "propertyNames": {"pattern": _LABEL},
                "additionalProperties": {"$ref": "#/$defs/snap"},
                **described_by(_SNAPS),
            },
            "links": {
                "type": ["array", "null"],
                "items": {
                    "type": "string",
                    "pattern": _LINK,
                    "patternErrorMessage": "write 'a -> b', or 'a.view -> b.view' to name views",
                },
                **described_by("How the snaps are linked: `a -> b -> c`, or `a.view -> b.view`."),
            },
        },
        "required": ["snaps"],
        "additionalProperties": False,
        "$defs": {"snap": _snap(snaps), **rules, **values.definitions},
    }  # fmt: skip


def _parameters() -> JsonSchema:
    flags = {
        "required": "Whether the caller must give it.",
        "secret": "Whether its value is never shown.",
        "capture": "Whether the report of a run shows its value.",
    }
    declaration = {
        "type": "object",
        "properties": {
            "default": {**SCALAR, **described_by("Its value if the caller gives none.")},
            **{name: {**BOOLEAN, **described_by(text)} for name, text in flags.items()},
            "description": {**OPTIONAL_TEXT, **described_by("What it is for.")},
        },
        "additionalProperties": False,
    }
    return {
        "type": ["object", "null"],
        "propertyNames": {"pattern": _NAME},
        "additionalProperties": {"anyOf": [SCALAR, declaration]},
        **described_by("Name to default. Expressions refer to the parameter `x` as `_x`."),
    }


def _snap(snaps: dict[str, SnapClass]) -> JsonSchema:
    """A snap of any type: the keys of all, then the settings of the one that it names."""
    return {
        "type": "object",
        "required": ["snap"],
        "properties": {"snap": _type_of_snap(snaps), **_keys_of_all()},
        "allOf": [
            {
                "if": {"properties": {"snap": {"const": name}}, "required": ["snap"]},
                "then": {"$ref": f"#/$defs/{name}"},
            }
            for name in snaps
        ],
    }


def _type_of_snap(snaps: dict[str, SnapClass]) -> JsonSchema:
    """The name of an installed snap, or of one of SnapLogic's that an import kept as it was."""
    purposes = [purpose(snap) for snap in snaps.values()]
    named = {
        "enum": list(snaps),
        "enumDescriptions": purposes,
        "markdownEnumDescriptions": purposes,
        "errorMessage": "there is no such snap; 'engine snaps' lists the installed ones",
    }
    kept = {"type": "string", "pattern": f"^{CLASS_IDS}"}
    return {"anyOf": [named, kept], **described_by("The type of the snap.")}


def _keys_of_all() -> dict[str, JsonSchema]:
    return {
        "on_error": {"enum": list(get_args(OnError)), **described_by(_ON_ERROR)},
        "mode": {"enum": list(get_args(Mode)), **described_by(_MODE)},
        "label": {
            **OPTIONAL_TEXT,
            **described_by("What error documents call the snap, instead of its label."),
        },
        "open_input": {**BOOLEAN, "default": False, **described_by(_OPEN_INPUT)},
        "open_output": {**BOOLEAN, "default": True, **described_by(_OPEN_OUTPUT)},
        "unsupported": {
            "type": ["object", "null"],
            **described_by("Settings that an import from SnapLogic had to leave out."),
        },
    }


def _settings(snap: SnapClass, values: ValueSchemas) -> JsonSchema:
    """The keys of a snap of one type; those of all snaps are checked elsewhere."""
    of_all: dict[str, Any] = dict.fromkeys(("snap", *_keys_of_all()), True)
    settings = values.properties(snap.settings_class)
    return {
        **closed_object({**of_all, **settings}, snap.settings_class),
        **described_by(purpose(snap), snap.about),
    }
