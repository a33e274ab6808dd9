"""Small exports (.slp) written by hand: only what an import reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

Json = Any
MAPPER = "com-snaplogic-snaps-transform-datatransform"
GENERATOR = "com-snaplogic-snaps-transform-jsongenerator"
FILTER = "com-snaplogic-snaps-flow-filter"
COPY = "com-snaplogic-snaps-flow-copy"
UNION = "com-snaplogic-snaps-flow-union"
READER = "com-snaplogic-snaps-binary-simpleread"
PARSER = "com-snaplogic-snaps-transform-jsonparser"
FORMATTER = "com-snaplogic-snaps-transform-jsonformatter"
CSV_FORMATTER = "com-snaplogic-snaps-transform-csvformatter"
WRITER = "com-snaplogic-snaps-binary-write"
SCRIPT = "com-snaplogic-snaps-mlcore-remotepythonscript"
REST_GET = "com-snaplogic-snaps-rest-get"
UNKNOWN = "com-snaplogic-snaps-lighthouse-foghorn"


def value(content: Json) -> Json:
    return {"value": content}


def expression(text: str) -> Json:
    return {"value": text, "expression": True}


def views(*names: str, kind: str = "document") -> Json:
    return {name: {"label": value(name), "view_type": value(kind)} for name in names}


def snap(
    class_id: str,
    label: str,
    settings: Mapping[str, Json] | None = None,
    *,
    version: int = 1,
    inputs: Json = None,
    outputs: Json = None,
    on_error: str = "fail",
    mode: str = "Validate & Execute",
    notes: str = "",
    account: Json = None,
) -> Json:
    properties = {
        "info": {"label": value(label), "notes": value(notes or None)},
        "settings": {**(settings or {}), "execution_mode": value(mode)},
        "input": views("input0") if inputs is None else inputs,
        "output": views("output0") if outputs is None else outputs,
        "error": {**views("error0"), "error_behavior": value(on_error)},
    }
    if account is not None:
        properties["account"] = account
    return {"class_id": class_id, "class_version": version, "property_map": properties}


def mapper(label: str, rows: Sequence[tuple[Json, Json]], **given: Any) -> Json:
    """A Mapper; a row is (expression, target), each a text or a stored value."""
    table = [
        {
            "expression": expression(source) if isinstance(source, str) else source,
            "targetPath": value(target) if isinstance(target, str | None) else target,
        }
        for source, target in rows
    ]
    settings = {
        "passThrough": value(given.pop("pass_through", False)),
        "nullSafeAccess": value(False),
        "transformations": value({"mappingRoot": value("$"), "mappingTable": value(table)}),
    }
    return snap(MAPPER, label, settings, version=4, **given)


def export(
    snaps: Mapping[str, Json],
    links: Sequence[str] = (),
    *,
    label: str = "",
    parameters: Sequence[Mapping[str, Json]] = (),
    imports: Sequence[Mapping[str, Json]] = (),
    info: Mapping[str, Json] | None = None,
    settings: Mapping[str, Json] | None = None,
) -> Json:
    """An export; a link is `a b`, `a:output1 b:input1`, with ids of snaps."""
    return {
        "class_id": "com-snaplogic-pipeline",
        "class_version": 9,
        "property_map": {
            "info": {"label": value(label), **(info or {})},
            "settings": {
                "param_table": value([{k: value(v) for k, v in p.items()} for p in parameters]),
                "imports": value([{k: value(v) for k, v in i.items()} for i in imports]),
                **(settings or {}),
            },
        },
        "snap_map": dict(snaps),
        "link_map": {f"link{100 + i}": _link(text) for i, text in enumerate(links)},
        "render_map": {
            "detail_map": {
                key: {"grid_x_int": place, "grid_y_int": 0} for place, key in enumerate(snaps)
            }
        },
    }


def _link(text: str) -> Json:
    source, target = text.split()
    start, _, out = source.partition(":")
    end, _, into = target.partition(":")
    return {
        "src_id": start,
        "src_view_id": out or "output0",
        "dst_id": end,
        "dst_view_id": into or "input0",
    }


def write(folder: Path, name: str, content: Json) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
    return path
