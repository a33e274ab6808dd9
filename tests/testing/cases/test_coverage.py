"""`engine test --coverage`: which parts of a pipeline the cases have run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

PIPELINE = """\
snaps:
  rows: {snap: Mapper, on_error: route, mappings: {$n: "$n > 1 ? 'big' : 'small'", $m: $m}}
  split:
    snap: Router
    routes: {big: $n == 'big', small: $n == 'small'}
  big: {snap: Head}
  small: {snap: Head}
links: [rows -> split, split.big -> big, split.small -> small]
"""
BIG = "cases:\n  big:\n    input: [{n: 2, m: 1}]\n    expect: {big: {count: 1}}\n"
ALL = BIG.replace("[{n: 2, m: 1}]", "[{n: 2, m: 1}, {n: 1, m: 1}, {}]").replace(
    "{big:", "{rows.error: {count: 1}, big:"
)


def table(out: str) -> list[list[str]]:
    lines = out.splitlines()
    start = next(place for place, line in enumerate(lines) if line.startswith("coverage "))
    return [line.split() for line in lines[start:]]


def test_what_was_run_and_what_was_not(run_tests: Any) -> None:
    rows = table(run_tests(BIG, "--coverage", pipeline=PIPELINE).out)
    assert rows[0] == ["coverage", "snaps", "links", "views", "routes", "branches", "rows", "%"]
    assert rows[1] == ["orders.yaml", "3/4", "2/3", "2/4", "1/2", "1/2", "4/4", "68"]
    assert [" ".join(row) for row in rows[2:]] == [
        "",
        "not run:",
        "orders.yaml:2 view rows.error",
        "orders.yaml:2 branch rows $n, when the condition at column 1 is false",
        "orders.yaml:3 route split.small",
        "orders.yaml:7 snap small",
        "orders.yaml:7 view small.output",
        "orders.yaml:8 link split.small -> small.input",
    ]


def test_all_was_run(run_tests: Any) -> None:
    outcome = run_tests(ALL, "--coverage", "--fail-under", "100", pipeline=PIPELINE)
    assert table(outcome.out)[1][-1] == "100"
    assert outcome.code == 0


def test_too_little_was_run(run_tests: Any) -> None:
    outcome = run_tests(BIG, "--fail-under", "69.5", pipeline=PIPELINE)
    assert "the coverage is 68.4 %, less than the 69.5 % of --fail-under" in outcome.out
    assert outcome.code == 1


def test_a_mocked_snap_is_not_run_but_its_links_are(run_tests: Any) -> None:
    cases = BIG + "    mocks: {rows: [{n: big}, {n: small}]}\n"
    rows = table(run_tests(cases, "--coverage", pipeline=PIPELINE).out)
    assert rows[1][1:3] == ["3/4", "3/3"]
    assert ["orders.yaml:2", "snap", "rows"] in rows


def test_a_case_that_fails_counts_for_what_it_ran(run_tests: Any) -> None:
    outcome = run_tests(BIG.replace("count: 1", "count: 2"), "--coverage", pipeline=PIPELINE)
    assert table(outcome.out)[1][1] == "3/4"


def test_coverage_is_written_for_lcov(run_tests: Any) -> None:
    assert run_tests(BIG, "--lcov", "out.info", pipeline=PIPELINE).code == 0
    lines = Path("out.info").read_text().splitlines()
    assert lines[:2] == ["TN:", "SF:orders.yaml"]
    assert "BRF:4" in lines
    assert "BRH:2" in lines
    assert "DA:6,1" in lines
    assert "DA:7,0" in lines
    assert lines[-1] == "end_of_record"


@pytest.mark.parametrize("percentage", ["x", "101", "-1", "nan"])
def test_the_percentage_must_be_one(
    run_tests: Any, capsys: pytest.CaptureFixture[str], percentage: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        run_tests(BIG, f"--fail-under={percentage}", pipeline=PIPELINE)
    assert "is not a number from 0 to 100" in capsys.readouterr().err
