"""Runs a pipeline over JSON lines the plain way and fused, to compare what it leaves."""

from __future__ import annotations

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest

from engine.run import fused
from engine.run.plain_way import PLAIN_VARIABLE
from engine.run.taps import Tap, Taps
from tests.run.flowing import Collecting, run


def both_ways(pipeline: str, text: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a pipeline makes of the text: the plain way, and fused in tiny blocks."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv(PLAIN_VARIABLE, "1")
        plain = left_by(pipeline, text)
        patch.delenv(PLAIN_VARIABLE)
        patch.setattr(fused, "MIN_BYTES", 0)
        patch.setattr(fused, "BLOCK_BYTES", 300)
        return plain, left_by(pipeline, text)


def left_by(pipeline: str, text: bytes, *taps: Tap) -> dict[str, Any]:
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "in.jsonl").write_bytes(text)
        report, failure, _ = run(folder, pipeline, observer=Collecting(), taps=Taps(taps))
        files = {file.name: file.read_bytes() for file in sorted(folder.glob("out*"))}
        if "out-bad.jsonl" in files:  # a Union mixes the errors of two snaps in any order
            files["out-bad.jsonl"] = b"\n".join(sorted(files["out-bad.jsonl"].split(b"\n")))
        counts = {
            snap.label: (snap.inputs, snap.outputs, snap.dropped, snap.errors)
            for snap in report.snaps
        }
        if failure is not None:  # how far the other snaps got is not defined
            counts = {}
        return {"files": files, "failure": str(failure).replace(name, ""), "counts": counts}


def lines_through(*snaps: str, on_error: str = "stop") -> str:
    """A pipeline of these snaps between a parser and a formatter of JSON lines."""
    labels = [f"s{number}" for number in range(len(snaps))]
    placed = [
        f"  {label}: {{{snap}, on_error: {on_error}}}"
        for label, snap in zip(labels, snaps, strict=True)
    ]
    errors = [f"  - {label}.error -> bad.input{place}" for place, label in enumerate(labels)]
    sink = [
        "  bad: {snap: Union}",
        "  bad_lines: {snap: JSONFormatter, json_lines: true, on_error: discard}",
        "  bad_file: {snap: FileWriter, file: out-bad.jsonl}",
    ]
    routes = on_error == "route"
    formatter = "discard" if routes else on_error
    return "\n".join(
        [
            "pipeline: Lines",
            "snaps:",
            "  read: {snap: FileReader, file: in.jsonl}",
            "  parse: {snap: JSONParser, json_lines: true, on_error: discard}",
            *placed,
            f"  format: {{snap: JSONFormatter, json_lines: true, on_error: {formatter}}}",
            "  write: {snap: FileWriter, file: out.jsonl}",
            *(sink if routes else ()),
            "links:",
            f"  - read -> parse -> {' -> '.join(labels)} -> format -> write",
            *([*errors, "  - bad -> bad_lines -> bad_file"] if routes else ()),
        ]
    )


def usual_line(number: int) -> str:
    document: dict[str, Any] = {
        "a": number,
        "n": 2.5,
        "s": "x",
        "b": {"c": "y", "d": 1},
        "l": [1, 2],
    }
    document["i"] = [{"p": 2, "q": 0.5, "m": "x"}]
    return json.dumps(document, separators=(",", ":"))


def usual_text(count: int) -> bytes:
    return "".join(usual_line(number) + "\n" for number in range(count)).encode()
