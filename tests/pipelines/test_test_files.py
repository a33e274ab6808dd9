"""The pipelines of the repository have test files, which need no TensorFlow and cover all links."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from engine.pipeline.case_files import is_test_file
from engine.registry import discover
from engine.testing.cases.finding import find_tests
from engine.testing.cases.suite import coverage_of, load_suite, run_suite

ROOT = Path(__file__).parents[2]
PIPELINES = sorted(
    path.stem for path in (ROOT / "pipelines").glob("*.yaml") if not is_test_file(path)
)


@pytest.mark.parametrize("name", PIPELINES)
def test_the_cases_of_a_pipeline_pass_and_cover_all_its_links(name: str) -> None:
    registry = discover()
    suite = load_suite(find_tests([str(ROOT / f"pipelines/{name}.yaml")]), registry)
    results = list(run_suite(suite.cases, coverage=True))
    assert [str(failure) for result in results for failure in result.failures] == []
    [hits] = coverage_of(suite.cases, results, registry).values()
    links = {point.name: count for point, count in hits.items() if point.kind == "link"}
    assert links
    assert all(links.values()), links
    assert "tensorflow" not in sys.modules
