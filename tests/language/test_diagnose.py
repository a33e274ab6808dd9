"""Diagnostics are the problems of `engine validate`, with the ranges that an editor underlines."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from engine.language import Document, Position, Range, Workspace
from engine.language.answers import Diagnostic
from engine.language.diagnose import diagnose

ROOT = Path(__file__).parents[2]
FIXTURES = sorted(
    str(path.relative_to(ROOT))
    for pattern in (
        "tests/diagnostics/*.yaml",
        "tests/diagnostics/tasks/*.yaml",
        "pipelines/*.test.yaml",
        "tasks/*.yaml",
    )
    for path in ROOT.glob(pattern)
)


@pytest.fixture(scope="module")
def workspace() -> Workspace:
    return Workspace()


def opened(workspace: Workspace, path: str, text: str) -> Document:
    return workspace.open(path, text)


def validated(capsys: pytest.CaptureFixture[str], *paths: str) -> list[dict[str, Any]]:
    main(["validate", "--format", "json", *paths])
    found: list[dict[str, Any]] = json.loads(capsys.readouterr().out)
    return found


def words(diagnostic: Diagnostic) -> tuple[str, str, str, str]:
    return diagnostic.code, diagnostic.severity, diagnostic.message, diagnostic.hint


@pytest.mark.parametrize("path", FIXTURES)
def test_they_are_those_of_validate(
    path: str,
    workspace: Workspace,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr("engine.cli.validate.discover", lambda: workspace.registry)
    expected = validated(capsys, path)
    text = Path(path).read_bytes().decode("utf-8-sig", "replace")
    if "\ufffd" in text:
        pytest.skip("an editor decodes this file in another way")
    found = diagnose(opened(workspace, path, text))
    assert [words(each) for each in found] == [
        (each["code"], each["severity"], each["message"], each["hint"]) for each in expected
    ]
    own = [
        (each, problem) for each, problem in zip(found, expected, strict=True) if not each.elsewhere
    ]
    for each, problem in own:
        start, end = each.range
        assert start.line == problem["line"] - 1
        line = text.splitlines()[start.line] if text else ""
        units = len(line[: problem["column"] - 1].encode("utf-16-le")) // 2
        assert start.character == units
        assert end >= start


def test_a_range_after_an_emoji_counts_utf_16_units(workspace: Workspace) -> None:
    text = "snaps:\r\n  a: {snap: Filter, filter: \"'\U0001f600' + $b.nosuch( + \"}\r\n"
    (found,) = [
        each
        for each in diagnose(opened(workspace, "p.yaml", text))
        if each.code == "expression-syntax"
    ][:1]
    line = text.split("\r\n")[1]
    units = line.encode("utf-16-le")[found.range.start.character * 2 :].decode("utf-16-le")
    assert found.range.start.line == 1
    assert units.startswith("nosuch(")


def test_a_problem_in_another_file_is_shown_where_that_file_is_named(
    workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "tools.expr").write_text("{\n  f: x => x +\n}")
    text = "libraries:\n  t: tools.expr\nsnaps:\n  a: {snap: JSONGenerator, documents: [{}]}\n"
    (found,) = diagnose(opened(workspace, str(tmp_path / "p.yaml"), text))
    assert found.range == Range(Position(1, 5), Position(1, 15))
    assert found.elsewhere is not None
    assert found.elsewhere.path == str(tmp_path / "tools.expr")
    assert found.elsewhere.range.start.line in (1, 2)


def test_they_are_those_of_the_text_and_not_of_the_file_on_the_disk(
    workspace: Workspace, tmp_path: Path
) -> None:
    path = tmp_path / "a.test.yaml"
    path.write_text("cases: {}\n")
    found = diagnose(opened(workspace, str(path), "casse: {}\n"))
    assert found[0].hint == "did you mean 'cases'?"


def test_a_new_version_of_a_text_has_its_own_problems(workspace: Workspace) -> None:
    bad = "snaps:\n  a: {snap: Copi}\n"
    assert "unknown-snap" in {each.code for each in diagnose(opened(workspace, "x.yaml", bad))}
    better = bad.replace("Copi", "Copy")
    assert "unknown-snap" not in {
        each.code for each in diagnose(opened(workspace, "x.yaml", better))
    }
    assert workspace.document("x.yaml").text == better


def test_what_depends_on_the_disk_is_read_again_after_a_refresh(
    workspace: Workspace, tmp_path: Path
) -> None:
    text = "libraries: {t: tools.expr}\nsnaps:\n  a: {snap: JSONGenerator, documents: [{}]}\n"
    path = str(tmp_path / "p.yaml")
    assert [each.code for each in diagnose(opened(workspace, path, text))] == ["missing-file"]
    (tmp_path / "tools.expr").write_text("1")
    workspace.refresh()
    assert diagnose(workspace.document(path)) == []
