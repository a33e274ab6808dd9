"""Expectations of a test file: what they accept, and how a difference is shown."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

ROWS = """\
snaps:
  rows: {snap: Copy}
  shape: {snap: Mapper, pass_through: true, mappings: {$n: $n}}
links: [rows -> shape]
"""


def case(expect: str, rows: str = "[{n: 1}, {n: 2}]") -> str:
    return f"cases:\n  numbers:\n    input: {rows}\n    expect: {expect}\n"


@pytest.mark.parametrize(
    "expect",
    [
        "{output: [{n: 1}, {n: 2}]}",
        "{shape.output: [{n: 1.0}, {n: 2}]}",
        "{shape: [{n: 1}, {n: 2}]}",
        "{shape.input: [{n: 1}, {n: 2}]}",
        "{rows: {count: 2}}",
        "{output: {equals: [{n: 2}, {n: 1}], unordered: true}}",
        "{output: {contains: [{n: 2}]}}",
        "{output: {contains: [{n: 2}, {n: 1}], unordered: true}}",
        "{output: {expressions: ['$n > 0', '$n < 3']}}",
        "{output: {equals: [{}, {n: 7}], ignore: [$n]}}",
    ],
)
def test_an_expectation_is_met(run_tests: Any, expect: str) -> None:
    assert run_tests(case(expect), pipeline=ROWS).code == 0


@pytest.mark.parametrize(
    ("expect", "message"),
    [
        ("{output: [{n: 1}, {n: 3}]}", "output: document 2 of 2 differs at $.n"),
        ("{output: [{n: 2}, {n: 1}]}", "output: document 1 of 2 differs at $.n"),
        ("{output: [{n: 1}]}", "output: expected 1 document, got 2"),
        ("{output: []}", "output: expected 0 documents, got 2"),
        ("{output: [{n: true}, {n: 2}]}", "output: document 1 of 2 differs at $.n"),
        ("{output: [{n: '1'}, {n: 2}]}", "output: document 1 of 2 differs at $.n"),
        ("{output: [{n: 1, m: null}, {n: 2}]}", "output: document 1 of 2 differs at $.m"),
        ("{output: {subset: [{m: 1}, {}]}}", "output: document 1 of 2 differs at $.m"),
        ("{output: {contains: [{n: 3}]}}", "output: there is no such document"),
        (
            "{output: {contains: [{n: 2}, {n: 1}]}}",
            "output: there is no such document after the one before it",
        ),
        ("{output: {count: 3}}", "output: expected 3 documents, got 2"),
        ("{output: {expressions: [$n > 1]}}", "document 1 of 2: the expression is false, not true"),
        ("{output: {expressions: [$n]}}", "document 1 of 2: the expression is 1, not true"),
        ("{output: {expressions: [$x.y]}}", "document 1 of 2: the expression failed"),
        ("{failure: boom}", "failure: the run was expected to fail, but it completed"),
        ("{diagnostics: [cycle]}", "diagnostics: expected cycle, got none"),
    ],
)
def test_an_expectation_is_not_met(run_tests: Any, expect: str, message: str) -> None:
    outcome = run_tests(case(expect), pipeline=ROWS)
    assert message in outcome.out
    assert outcome.code == 1


def test_a_difference_shows_the_place_and_the_lines_that_differ(run_tests: Any) -> None:
    rows = "[{id: 1, a: {b: [1, 2]}, c: 9007199254740993}]"
    expect = "{output: [{id: 1, a: {b: [1, 3]}, c: 9007199254740993}]}"
    out = run_tests(case(expect, rows), pipeline=ROWS.replace("$n: $n", "$id: $id")).out
    assert "orders.test.yaml:4:14  output: document 1 of 1 differs at $.a.b[1]" in out
    assert "-      3" in out
    assert "+      2" in out
    assert "9007199254740993" not in out  # a field that is the same, and far away


def test_a_long_difference_is_cut(run_tests: Any) -> None:
    rows = "[" + ", ".join(f"{{n: {n}}}" for n in range(50)) + "]"
    out = run_tests(case("{output: []}", rows), pipeline=ROWS).out
    assert '+ {"n":18}' in out
    assert '+ {"n":19}' not in out
    assert "… 31 more lines" in out


def test_missing_documents_are_listed_where_the_others_are_the_same(run_tests: Any) -> None:
    out = run_tests(case("{output: [{n: 1}, {n: 5}, {n: 2}]}"), pipeline=ROWS).out
    assert "expected 3 documents, got 2" in out
    assert '- {"n":5}' in out
    assert '{"n":1}' not in out


def test_large_numbers_are_exact(run_tests: Any) -> None:
    rows = "[{n: 9007199254740993}]"
    assert run_tests(case("{output: [{n: 9007199254740993}]}", rows), pipeline=ROWS).code == 0
    assert run_tests(case("{output: [{n: 9007199254740992}]}", rows), pipeline=ROWS).code == 1


def test_expressions_see_parameters_and_libraries(run_tests: Any, tmp_path: Path) -> None:
    (tmp_path / "near.expr").write_text("{to: (a, b) => Math.abs(a - b) < 2}")
    text = "parameters: {least: '1'}\nlibraries: {near: near.expr}\n" + ROWS
    expect = "{output: {expressions: ['$n >= +_least', 'lib.near.to($n, 2)']}}"
    outcome = run_tests(case(expect), pipeline=text)
    assert outcome.code == 0, outcome.out


def test_what_reached_a_snap_with_several_inputs(run_tests: Any) -> None:
    text = """\
snaps:
  one: {snap: JSONGenerator, documents: [{n: 1}]}
  two: {snap: JSONGenerator, documents: [{n: 2}]}
  join: {snap: Union}
links: [one -> join, two -> join]
"""
    expect = "{join: {equals: [{n: 2}, {n: 1}], unordered: true}, join.input1: [{n: 2}]}"
    cases = f"cases:\n  both:\n    expect: {expect}\n"
    assert run_tests(cases, pipeline=text).code == 0


def test_a_field_that_no_later_snap_needs_is_compared_too(run_tests: Any) -> None:
    cases = """\
cases:
  all fields:
    files: {orders.json: {json: [{id: 1, amount: 11, note: x}]}}
    expect: {parse.output: [{id: 1, amount: 11, note: x}]}
"""
    assert run_tests(cases).code == 0


def test_error_documents_are_expected_by_view_or_all_together(run_tests: Any) -> None:
    text = ROWS.replace("shape: {snap: Mapper,", "shape: {snap: Mapper, on_error: route,")
    expect = "{shape.error: {subset: [{original: {m: 1}}]}, errors: {count: 1}, output: []}"
    assert run_tests(case(expect, "[{m: 1}]"), pipeline=text).code == 0


def test_a_failure_of_the_run_is_expected_by_a_part_of_its_message(run_tests: Any) -> None:
    outcome = run_tests(case("{failure: \"snap 'shape'\"}", "[{m: 1}]"), pipeline=ROWS)
    assert outcome.code == 0
    outcome = run_tests(case("{failure: no such text}", "[{m: 1}]"), pipeline=ROWS)
    assert "the run failed, but not with 'no such text'" in outcome.out


def test_a_failure_that_is_not_expected_fails_the_case(run_tests: Any) -> None:
    outcome = run_tests(case("{output: []}", "[{m: 1}]"), pipeline=ROWS)
    assert "orders.test.yaml:2:3  the run failed" in outcome.out
    assert "snap 'shape' (Mapper at orders.yaml:3:3) failed" in outcome.out


def test_diagnostics_are_the_codes_of_validate(run_tests: Any) -> None:
    text = ROWS.replace("rows -> shape", "rows -> shap")
    assert run_tests(case("{diagnostics: [unknown-label]}"), pipeline=text).code == 0
    outcome = run_tests(case("{diagnostics: []}"), pipeline=text)
    assert "diagnostics: expected none, got unknown-label" in outcome.out
    assert "did you mean 'shape'?" in outcome.out


def test_a_broken_pipeline_fails_its_cases(run_tests: Any) -> None:
    outcome = run_tests(
        case("{output: []}"), pipeline=ROWS.replace("rows -> shape", "rows -> shap")
    )
    assert "the pipeline has errors" in outcome.out
    assert "there is no snap labelled 'shap'" in outcome.out
    assert outcome.code == 1


def test_files_that_were_written(run_tests: Any) -> None:
    text = """\
snaps:
  rows: {snap: Copy}
  format: {snap: JSONFormatter, json_lines: true}
  save: {snap: FileWriter, file: out/rows.json, create_dir: true}
links: [rows -> format -> save]
"""
    for good in (
        '"{\\"n\\":1}\\n{\\"n\\":2}\\n"',
        "[{n: 1}, {n: 2}]",
        "{contains_text: ':2'}",
        "{count: 2, contains: [{n: 2}]}",
    ):
        outcome = run_tests(case(f"{{files: {{out/rows.json: {good}}}}}"), pipeline=text)
        assert outcome.code == 0, outcome.out
    outcome = run_tests(case("{files: {out/rows.json: [{n: 1}, {n: 3}]}}"), pipeline=text)
    assert "out/rows.json: document 2 of 2 differs at $.n" in outcome.out
    outcome = run_tests(case("{files: {out/rows.json: {text: x}}}"), pipeline=text)
    assert "out/rows.json: the text differs" in outcome.out
    assert not Path("out").exists()


def test_a_file_that_was_not_written_or_not_to_be_written(run_tests: Any) -> None:
    text = """\
snaps:
  rows: {snap: Filter, filter: $n > 1}
  format: {snap: JSONFormatter, ignore_empty_stream: true}
  save: {snap: FileWriter, file: rows.json}
links: [rows -> format -> save]
"""
    outcome = run_tests(case("{files: {rows.json: {exists: false}}}", "[{n: 1}]"), pipeline=text)
    assert outcome.code == 0, outcome.out
    outcome = run_tests(case("{files: {rows.json: [{n: 2}]}}", "[{n: 1}]"), pipeline=text)
    assert "rows.json: the file was not written" in outcome.out
    outcome = run_tests(case("{files: {rows.json: {exists: false}}}", "[{n: 2}]"), pipeline=text)
    assert "rows.json: the file was written" in outcome.out


def test_a_snapshot_is_written_by_update_and_compared_afterwards(run_tests: Any) -> None:
    cases = case("{output: {snapshot: rows.json, ignore: [$at]}}", "[{n: 1.50, at: 5}]")
    outcome = run_tests(cases, pipeline=ROWS)
    assert "there is no snapshot 'rows.json'" in outcome.out
    assert run_tests(cases, "--update", pipeline=ROWS).code == 0
    assert Path("rows.json").read_text() == '[\n  {\n    "n": 1.50\n  }\n]\n'
    assert run_tests(cases, pipeline=ROWS).code == 0
    before = Path("rows.json").stat().st_mtime_ns
    assert "wrote" not in run_tests(cases, "--update", pipeline=ROWS).out
    assert Path("rows.json").stat().st_mtime_ns == before
    changed = cases.replace("n: 1.50", "n: 2")
    assert "output: document 1 of 1 differs at $.n" in run_tests(changed, pipeline=ROWS).out


def test_update_makes_the_folder_of_a_snapshot_and_writes_no_secrets(
    run_tests: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "open-sesame")
    pipeline = (
        "parameters: {token: {secret: true, default: '${env:TOKEN}'}}\n"
        "snaps: {shape: {snap: Mapper, mappings: {$n: $n, $token: _token}}}\n"
    )
    cases = case("{output: {snapshot: seen/rows.json}}", "[{n: 1}]")
    assert "there is no snapshot" in run_tests(cases, pipeline=pipeline).out
    assert run_tests(cases, "--update", pipeline=pipeline).code == 0
    assert '"token": "***"' in Path("seen/rows.json").read_text()
    assert run_tests(cases, pipeline=pipeline).code == 0


def test_a_difference_shows_no_secret_that_the_case_does_not_give(
    run_tests: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOKEN", "open-sesame")
    pipeline = (
        "parameters: {token: {secret: true, default: '${env:TOKEN}'}, key: {secret: true}}\n"
        "snaps: {shape: {snap: Mapper, mappings: {$token: _token, $key: _key}}}\n"
    )
    cases = "cases:\n  a:\n    parameters: {key: for-tests}\n    expect: {output: [{n: 1}]}\n"
    run_tests(cases, "--junit", "out/results.xml", pipeline=pipeline)
    written = Path("out/results.xml").read_text()
    assert '+  "token": "***"' in written
    assert '+  "key": "for-tests"' in written
