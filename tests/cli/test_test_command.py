"""`engine test`: which files and cases run, in how many processes, and what is reported."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path
from xml.etree import ElementTree

import pytest
from rich.cells import cell_len

from engine import cli
from tests.cli.test_display import run_on_terminal

PIPELINE = "snaps:\n  rows: {snap: Head, number_of_documents: 1}\n"
CASES = """\
cases:
  passes:
    input: [{n: 1}]
    expect: {output: [{n: 1}]}
  fails:
    input: [{n: 1}]
    expect: {output: [{n: 2}]}
  passes too:
    input: [{n: 1}]
    expect: {output: {count: 1}}
"""
Engine = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for folder in ("a", "b", ".hidden", "node_modules"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "one.yaml").write_text(PIPELINE)
        (tmp_path / folder / "one.test.yaml").write_text(CASES)
    return tmp_path


def test_a_report_that_cannot_be_written_is_refused_before_the_cases_run(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["test", "a", "--junit", "a/one.yaml/results.xml"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("engine: --junit: cannot")
    assert cli.main(["test", "a", "--junit", "out/new/results.xml", "--lcov", "out/l.info"]) == 1
    assert {path.name for path in (project / "out").rglob("*.*")} == {"results.xml", "l.info"}


def test_all_test_files_below_the_folder_run(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["test"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.endswith("yaml")] == [
        "a/one.test.yaml",
        "b/one.test.yaml",
    ]
    assert lines[-1].startswith("4 passed, 2 failed in ")


def test_a_pipeline_stands_for_the_test_file_beside_it(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["test", "a/one.yaml", "-k", "PASSES"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("2 passed in ")


def test_a_case_is_chosen_by_a_part_of_its_name_or_file(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["test", "-k", "b/one.test.yaml::passes too"]) == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("1 passed in ")


def test_the_first_failure_may_end_the_run(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["test", "-x"]) == 1
    assert "1 passed, 1 failed, 4 not run in " in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["c"], "there is no file or folder 'c'"),
        (["a/onee.yaml"], "did you mean 'a/one.yaml'?"),
        (["-k", "nothing"], "no case has 'nothing' in its name or file"),
        (["empty"], "the folder 'empty' contains no test files (*.test.yaml)"),
        (["alone.yaml"], "there is no test file 'alone.test.yaml' for 'alone.yaml'"),
    ],
)
def test_nothing_to_run_is_a_mistake(
    project: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    (project / "empty").mkdir()
    (project / "alone.yaml").write_text(PIPELINE)
    assert cli.main(["test", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_file_with_mistakes_does_not_keep_the_others_from_running(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "a" / "one.test.yaml").write_text("cases:\n  first: {}\n")
    assert cli.main(["test"]) == 2
    printed = capsys.readouterr()
    assert "a/one.test.yaml:2:3  missing-setting" in printed.err
    assert "2 passed, 1 failed, 1 mistake in test files in " in printed.out


def test_several_processes_give_the_results_in_the_same_order(
    project: Path, engine: Engine
) -> None:
    done = engine("test", "-j", "2")
    shown = [line.split("  (")[0] for line in done.stdout.splitlines() if " ms)" in line]
    assert shown == ["  ok    passes", "  FAIL  fails", "  ok    passes too"] * 2
    assert done.returncode == 1


@pytest.mark.parametrize("count", ["0", "x", "65"])
def test_the_number_of_processes_is_bounded(
    project: Path, capsys: pytest.CaptureFixture[str], count: str
) -> None:
    with pytest.raises(SystemExit, match="2"):
        cli.main(["test", "-j", count])
    assert f"'{count}' is not a number from 1 to 64" in capsys.readouterr().err


def test_results_are_written_as_junit_xml(project: Path) -> None:
    (project / "a" / "one.test.yaml").write_text(CASES.replace("n: 2", 'n: "\\x02<"'))
    assert cli.main(["test", "--junit", "results.xml"]) == 1
    root = ElementTree.parse(project / "results.xml").getroot()
    assert root.attrib["tests"] == "6"
    assert root.attrib["failures"] == "2"
    suites = {suite.attrib["name"]: suite for suite in root}
    cases = {case.attrib["name"]: case for case in suites["a/one.test.yaml"]}
    assert cases["passes"].find("failure") is None
    assert cases["fails"].attrib["line"] == "5"
    failure = cases["fails"].find("failure")
    assert failure is not None
    assert failure.attrib["message"] == "output: document 1 of 1 differs at $.n"


def test_results_are_plain_in_a_pipe_and_coloured_on_a_terminal(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    cli.main(["test", "a"])
    assert "\x1b[" not in capsys.readouterr().out
    monkeypatch.setattr("sys.stdout.isatty", lambda: True, raising=False)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    cli.main(["test", "a"])
    assert "\x1b[31mFAIL\x1b[0m  fails" in capsys.readouterr().out


def test_run_says_what_to_do_with_a_test_file(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.main(["run", "a/one.test.yaml"]) == 2
    assert "is a test file; run its cases with: engine test a/one.test.yaml" in (
        capsys.readouterr().err
    )


def test_validate_checks_test_files_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["validate", "a"]) == 0
    (project / "a" / "one.test.yaml").write_text("cases:\n  first: {}\n")
    assert cli.main(["validate", "a"]) == 2
    assert "the case 'first' expects nothing" in capsys.readouterr().err


def test_a_narrow_terminal_gets_texts_broken_between_words(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    (project / "a/one.test.yaml").write_text(CASES.replace("{n: 2}", "{n: 2, more: of it, a: 5}"))
    _, seen = run_on_terminal(project, "test", "a", "--coverage", width=40)
    lines = seen.replace("\r", "").splitlines()
    assert max(map(len, lines)) <= 40
    place = next(at for at, line in enumerate(lines) if "a/one.test.yaml:" in line)
    assert lines[place + 1].startswith(" " * 10)
    assert next(line for line in lines if line.startswith("coverage")).split()[-1] == "%"


def test_wide_characters_count_for_two_columns_where_texts_are_broken(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    words = "ねじ " * 12
    (project / "a/one.test.yaml").write_text(CASES.replace("{n: 2}", f"{{n: 1, more: {words}}}"))
    _, seen = run_on_terminal(project, "test", "a", width=40)
    assert seen.count("ねじ") == 12
    assert max(map(cell_len, seen.splitlines())) <= 40


def test_the_name_of_a_case_is_broken_between_words(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    name = "passes with a name that is longer than a line"
    (project / "a/one.test.yaml").write_text(CASES.replace("passes:", f"{name}:"))
    _, seen = run_on_terminal(project, "test", "a", width=40)
    lines = seen.replace("\r", "").splitlines()
    assert max(map(len, lines)) <= 40
    place = lines.index("  ok    passes with a name that is")
    assert lines[place + 1].startswith("        longer than a line")


def test_the_mistakes_of_a_pipeline_are_shown_once(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "a/one.yaml").write_text(PIPELINE.replace("Head", "Haed"))
    assert cli.main(["test", "a", "--coverage"]) == 1
    seen = capsys.readouterr().out
    assert seen.count("there is no snap called 'Haed'") == 1
    assert seen.count("the pipeline has errors\n            the same as above\n") == 2
    row = next(line for line in seen.splitlines() if line.startswith("a/one.yaml "))
    assert row.split()[1:] == ["-"] * 7


def test_carets_stay_below_the_mistake_on_a_narrow_terminal(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    (project / "a/one.yaml").write_text("snaps: {rows: {snap: Head, number_of_documents: 1, x: 2}}")
    _, seen = run_on_terminal(project, "test", "a", width=40)
    lines = seen.replace("\r", "").splitlines()
    assert max(map(len, lines)) <= 40
    place = next(at for at, line in enumerate(lines) if "^" in line)
    assert lines[place - 1][lines[place].index("^")] == "x"
