"""Editor help in a pipeline of 200 snaps: each question right after an edit of one line."""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable

import yaml

from benchmarks.large_pipeline import large_pipeline
from benchmarks.results import Row, Section
from engine.language import Document, Position, Workspace
from engine.language.complete import complete
from engine.language.diagnose import diagnose
from engine.language.hover import hover
from engine.language.warm_up import warm_up

PATH = "pipeline.yaml"
ANSWER_GOAL, DIAGNOSTICS_GOAL = 30, 50
"""CPU ms: of completion and hover at the 95th percentile, and of all problems."""

_SAMPLE = {"name": "x", "a": 1, "b": {"c": 2}, "date": "2026-01-01"}
_PLACES = (
    ("$name.trim()", "$name.", "a method"),
    ("$a99 > 99", "$", "a field"),
    ("    pass_through: true", "    pas", "a setting"),
    ("snap: Filter", "snap: Fil", "a snap"),
    ("  - s100 -> s101", "  - s100 -> ", "a label"),
)
"""A text in the pipeline, what somebody has typed of it, and what that is."""


def measure(rounds: int) -> Section:
    workspace = Workspace(samples=lambda path: {"s0.output": [_SAMPLE]})
    text, chance = large_pipeline(), random.Random(1)
    warm_up(workspace)
    rows = []
    for written, typed, title in _PLACES:
        start = text.index(written)
        document_of = _typing(workspace, text, start, written, typed, chance)
        spent = [_milliseconds(complete, *document_of()) for _ in range(rounds)]
        rows.append(_row(f"completion of {title}", spent, ANSWER_GOAL, text))
    edited = _typing(workspace, text, text.index("$a99 > 99") + 2, "", "", chance)
    spent = [_milliseconds(hover, *edited()) for _ in range(rounds)]
    rows.append(_row("hover", spent, ANSWER_GOAL, text))
    spent = [_milliseconds(diagnose, edited()[0]) for _ in range(rounds)]
    rows.append(_row("all problems", spent, DIAGNOSTICS_GOAL, text))
    return Section("Editor help, 200 snaps", "CPU ms, 95th percentile", "Snapline / goal", rows)


def _typing(
    workspace: Workspace, text: str, start: int, written: str, typed: str, chance: random.Random
) -> Callable[[], tuple[Document, Position]]:
    """Makes a new version of the document, in which one other line has changed as well."""

    def edited() -> tuple[Document, Position]:
        changed = text[:start] + typed + text[start + len(written) :]
        changed = changed.replace("token: abc", f"token: t{chance.random()}")
        shift = len(changed) - len(text) - len(typed) + len(written)
        document = workspace.open(PATH, changed)
        return document, document.lines.position(start + len(typed) + shift)

    return edited


def _row(title: str, spent: list[float], goal: int, text: str) -> Row:
    figures = {"Snapline": _percentile(spent), "PyYAML alone": _yaml(text)}
    return Row(title, figures, figures["Snapline"] / goal, 1.0)


def _yaml(text: str) -> float:
    return _milliseconds(lambda: yaml.compose(text, Loader=yaml.CSafeLoader))


def _percentile(spent: list[float]) -> float:
    return sorted(spent)[math.ceil(len(spent) * 0.95) - 1]


def _milliseconds(call: Callable[..., object], *arguments: object) -> float:
    start = time.process_time()
    call(*arguments)
    return (time.process_time() - start) * 1e3
