"""The cases of test files are tests of pytest."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest_plugins = ["pytester"]

PIPELINE = "snaps:\n  rows: {snap: Head, number_of_documents: 1}\n"
CASES = """\
cases:
  passes:
    input: [{n: 1}]
    expect: {output: [{n: 1}]}
  fails:
    input: [{n: 1}]
    expect: {output: [{n: 2}]}
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    (pytester.path / "rows.yaml").write_text(PIPELINE)
    (pytester.path / "rows.test.yaml").write_text(CASES)
    return pytester


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-rA", *arguments)


def test_each_case_is_a_test(project: pytest.Pytester) -> None:
    ran = run(project, "-v")
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["rows.test.yaml::passes PASSED*", "rows.test.yaml::fails FAILED*"])


def test_a_failure_is_shown_as_by_engine_test(project: pytest.Pytester) -> None:
    ran = run(project)
    ran.stdout.fnmatch_lines(
        ["rows.test.yaml:7:14  output: document 1 of 1 differs at $.n", '*-  "n": 2', '*+  "n": 1']
    )
    assert "Traceback" not in ran.stdout.str()


def test_cases_are_chosen_by_name_and_by_the_last_failure(project: pytest.Pytester) -> None:
    run(project, "-k", "passes").assert_outcomes(passed=1, deselected=1)
    run(project).assert_outcomes(passed=1, failed=1)
    run(project, "--lf").assert_outcomes(failed=1)
    run(project, "rows.test.yaml::passes").assert_outcomes(passed=1)


def test_snapshots_are_written_on_request(project: pytest.Pytester) -> None:
    cases = "cases:\n  kept:\n    input: [{n: 1}]\n    expect: {output: {snapshot: rows.json}}\n"
    (project.path / "rows.test.yaml").write_text(cases)
    run(project).assert_outcomes(failed=1)
    run(project, "--snapline-update").assert_outcomes(passed=1)
    assert (project.path / "rows.json").read_text() == '[\n  {\n    "n": 1\n  }\n]\n'
    run(project).assert_outcomes(passed=1)


def test_the_first_failure_may_end_the_run(project: pytest.Pytester) -> None:
    (project.path / "rows.test.yaml").write_text(CASES.replace("n: 1}]}", "n: 3}]}"))
    run(project, "-x").assert_outcomes(failed=1)


def test_mistakes_in_a_file_are_an_error_with_their_places(project: pytest.Pytester) -> None:
    (project.path / "rows.test.yaml").write_text("cases:\n  first: {}\n")
    ran = run(project)
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["rows.test.yaml:2:3  missing-setting  the case 'first' expects*"])


def test_a_file_of_that_name_without_cases_is_left_alone(project: pytest.Pytester) -> None:
    (project.path / "rows.test.yaml").write_text("tests: []\n")
    run(project).assert_outcomes()


def test_the_plugin_imports_nothing_of_the_engine_at_start() -> None:
    program = (
        "import sys, pytest, engine.testing.plugin; "
        "print([m for m in sys.modules if m.startswith('engine') and m not in "
        "('engine', 'engine.testing', 'engine.testing.plugin')])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=240
    )
    assert done.stdout.strip() == "[]"
