"""The work of an import, a check, a run's plan and an export grows in step with the snaps."""

from __future__ import annotations

import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from engine.plan import compile_spec
from engine.registry import Registry, discover
from engine.slp.load import load_export
from engine.slp.pipeline_export import export_pipeline
from engine.slp.project_import import import_files
from tests.slp.exports import GENERATOR, export, expression, mapper, snap, value, views, write

JOIN = "com-snaplogic-snaps-transform-multijoin"


def _long_chain(snaps: int) -> Any:
    """A generator and Mappers in a row, linked in the order from the last to the first."""
    found = {"s0": snap(GENERATOR, "Start", {"editable_content": value("[{}]")}, inputs={})}
    found |= {f"s{i}": mapper("Same label", [("$a + 1", "$a")]) for i in range(1, snaps)}
    return export(found, [f"s{i - 1} s{i}" for i in range(snaps - 1, 0, -1)])


def _chain_of_joins(snaps: int) -> Any:
    """Each Join attaches the documents of a generator of its own to those of the Join before."""
    found = {"s0": snap(GENERATOR, "Start", {"editable_content": value("[{}]")}, inputs={})}
    links = []
    row = {"leftPath": expression("$a"), "rightPath": expression("$a")}
    settings = {"joinType": value("Inner"), "joinPaths": value([row])}
    for i in range(1, snaps // 2):
        found[f"g{i}"] = snap(GENERATOR, "Data", {"editable_content": value("[{}]")}, inputs={})
        found[f"s{i}"] = snap(JOIN, "Join", settings, inputs=views("input0", "input1"))
        links += [f"g{i} s{i}:input1", f"s{i - 1} s{i}"]
    return export(found, links)


def _import(path: Path, registry: Registry) -> None:
    assert import_files([path], registry)[0].pipeline


def _plan(path: Path, registry: Registry) -> None:
    assert compile_spec(load_export(path, registry), registry)


def _export(path: Path, registry: Registry) -> None:
    assert export_pipeline(load_export(path, registry), registry).content


@pytest.mark.parametrize("step", [_import, _plan, _export])
@pytest.mark.parametrize("shape", [_long_chain, _chain_of_joins])
def test_twice_the_snaps_take_twice_the_work(
    shape: Callable[[int], Any], step: Callable[[Path, Registry], None], tmp_path: Path
) -> None:
    registry = discover()
    paths = {size: write(tmp_path, f"p{size}.slp", shape(size)) for size in (10, 40, 80, 120)}
    step(paths[10], registry)  # whatever is done once is done now
    few, more, most = (_calls(partial(step, paths[size], registry)) for size in (40, 80, 120))
    assert most - more < 1.02 * (more - few)


def _calls(step: Callable[[], None]) -> int:
    """How many functions and steps of generators Python calls."""
    count = 0

    def seen(frame: FrameType, event: str, argument: Any) -> None:
        nonlocal count
        count += event == "call"

    before = sys.getprofile()
    sys.setprofile(seen)
    try:
        step()
    finally:
        sys.setprofile(before)
    return count
