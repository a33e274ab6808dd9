"""Every measured case: the engine and the loops written by hand give the same documents."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.case import Case, Loop
from benchmarks.cases import NAMES, load_case
from benchmarks.documents import write_documents
from benchmarks.exact_loops import LOOPS
from benchmarks.outputs import count_documents, first_difference
from engine import api

FILTERING = ("filter_and_map", "filter_only", "few_fields", "filter_records", "ten_snaps")


def looped(loop: Loop, source: Path, target: Path) -> Path:
    with source.open("rb") as lines, target.open("wb") as output:
        loop(lines, output.write)
    return target


@pytest.mark.parametrize("name", NAMES)
def test_the_engine_and_both_loops_write_the_same_documents(name: str, tmp_path: Path) -> None:
    case: Case = load_case(name)
    source, target = tmp_path / "input.jsonl", tmp_path / "engine.jsonl"
    write_documents(source, case.generator, 200)
    pipeline = tmp_path / "case.yaml"
    pipeline.write_text(case.pipeline)

    api.run(pipeline, parameters={"input": str(source), "output": str(target)})

    by_orjson = looped(case.by_orjson, source, tmp_path / "orjson.jsonl")
    by_msgspec = looped(case.by_msgspec, source, tmp_path / "msgspec.jsonl")
    assert count_documents(by_orjson) > 20
    for output in (target, by_msgspec):
        assert not first_difference(
            by_orjson, output, any_order=case.any_order, fields=case.compared
        )


@pytest.mark.parametrize("name", LOOPS)
def test_the_loop_with_exact_numbers_writes_the_same_documents(name: str, tmp_path: Path) -> None:
    case = load_case(name)
    source = tmp_path / "input.jsonl"
    write_documents(source, case.generator, 1_200)
    by_orjson = looped(case.by_orjson, source, tmp_path / "orjson.jsonl")
    exact = looped(LOOPS[name], source, tmp_path / "exact.jsonl")
    assert not first_difference(by_orjson, exact, fields=case.compared)


@pytest.mark.parametrize("name", FILTERING)
def test_a_filter_drops_some_documents_and_keeps_some(name: str, tmp_path: Path) -> None:
    case = load_case(name)
    source = tmp_path / "input.jsonl"
    write_documents(source, case.generator, 200)
    kept = looped(case.by_orjson, source, tmp_path / "orjson.jsonl")
    assert 60 < count_documents(kept) < 195
