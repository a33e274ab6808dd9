"""`engine snaps` and `engine functions` list and explain what pipelines can use."""

from __future__ import annotations

import io
import json
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from engine import api
from engine.cli import main
from engine.reference.expressions import function_entries
from engine.registry import discover

OWN = '''"""Say it louder."""

from engine.sdk import Document, Snap


class Shout(Snap):
    category = "voice"

    def process(self, document: Document) -> Document:
        return document
'''


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def output(capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    def run(*arguments: str) -> str:
        assert main(arguments) == 0
        return capsys.readouterr().out

    return run


@pytest.fixture
def on_terminal(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """The output on a terminal of some width, without the codes of colours."""

    def run(width: int, *arguments: str) -> str:
        screen = Terminal()
        monkeypatch.setattr(sys, "stdout", screen)
        monkeypatch.setenv("COLUMNS", str(width))
        monkeypatch.setenv("NO_COLOR", "1")
        assert main(arguments) == 0
        return re.sub(r"\x1b\[[0-9;]*m", "", screen.getvalue())

    return run


@pytest.fixture
def own_snap(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A snap of the user's own, installed; the file that it is in."""
    file = tmp_path / "loud" / "shout.py"
    file.parent.mkdir()
    file.write_text(OWN)
    described = tmp_path / "loud-1.0.dist-info"
    described.mkdir()
    (described / "METADATA").write_text("Metadata-Version: 2.1\nName: loud\nVersion: 1.0\n")
    (described / "entry_points.txt").write_text("[engine.snaps]\nloud = loud\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "loud.shout", raising=False)
    monkeypatch.delitem(sys.modules, "loud", raising=False)
    return file


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    return captured.err


def test_every_installed_snap_is_a_line(output: Callable[..., str]) -> None:
    lines = output("snaps").splitlines()
    assert [line.split()[0] for line in lines] == sorted(discover(), key=str.lower)
    assert "CSVParser" in {line.split()[0] for line in lines if " parse " in line}


def test_words_find_snaps_by_name_category_and_purpose(output: Callable[..., str]) -> None:
    names = {line.split()[0] for line in output("snaps", "parse", "excel").splitlines()[:1]}
    assert names == {"ExcelParser"}
    assert "RESTGet" in output("snaps", "rest")


@pytest.mark.parametrize(
    "name", ["Filter", "filter", "csv parser", "csv_parser", "com-snaplogic-snaps-flow-filter"]
)
def test_a_name_shows_the_help_of_the_snap(name: str, output: Callable[..., str]) -> None:
    title = output("snaps", *name.split()).splitlines()[0]
    assert title.split()[0] == ("CSVParser" if "csv" in name else "Filter")


def test_the_help_of_a_snap_has_all_that_it_says_about_itself(output: Callable[..., str]) -> None:
    text = " ".join(output("snaps", "Sort").split())
    assert "Sort transform, since" in text
    assert "In SnapLogic Sort (com-snaplogic-snaps-transform-sort)" in text
    assert "In ultra tasks no: it" in text
    assert "input takes documents; without a link" in text
    assert "sort_paths list of path or row, required" in text
    assert "sort_order `ascending` or `descending`, default `ascending`" in text


@pytest.mark.parametrize("name", ["Filter", "Router", "Constant"])
def test_the_first_example_can_be_pasted_into_a_pipeline(
    name: str, output: Callable[..., str], tmp_path: Path
) -> None:
    examples = output("snaps", name).partition("to paste below 'snaps:'\n")[2]
    pasted = examples.partition(":\n")[2].partition("\n\n")[0]
    file = tmp_path / "p.yaml"
    file.write_text(f"snaps:\n{pasted}\n")
    assert [each for each in api.check(file) if each.code == "bad-setting"] == []
    assert api.load(file).snaps[name.lower()].type == name


def test_the_json_of_a_snap_has_its_settings(output: Callable[..., str]) -> None:
    [entry] = json.loads(output("snaps", "Sort", "--json"))
    memory = next(each for each in entry["settings"] if each["name"] == "memory")
    assert memory["type"] == "integer or string"
    order = next(each for each in entry["settings"] if each["name"] == "sort_order")
    assert (order["choices"], order["default"]) == (["ascending", "descending"], "ascending")
    assert yaml.safe_load(entry["examples"][0]["yaml"])["snap"] == "Sort"


def test_the_json_of_all_snaps_has_all_names(output: Callable[..., str]) -> None:
    names = [each["name"] for each in json.loads(output("snaps", "--json"))]
    assert names == sorted(discover(), key=str.lower)


@pytest.mark.parametrize("width", [40, 80, 200])
@pytest.mark.parametrize("arguments", [("snaps",), ("snaps", "Join"), ("functions",)])
def test_lines_fit_the_terminal(
    width: int, arguments: tuple[str, ...], on_terminal: Callable[..., str]
) -> None:
    text, _, pasted = on_terminal(width, *arguments).partition("Examples, to paste")
    assert max(map(len, text.splitlines())) <= width
    assert [line for line in (text + pasted).splitlines() if line != line.rstrip()] == []


def test_a_terminal_shows_snaps_by_category(on_terminal: Callable[..., str]) -> None:
    lines = on_terminal(80, "snaps").splitlines()
    headings = [line for line in lines if line and not line.startswith(" ")]
    assert headings == sorted(set(headings))
    assert "parse" in headings


@pytest.mark.usefixtures("own_snap")
def test_an_own_snap_is_listed_and_explained(output: Callable[..., str]) -> None:
    assert [line.split()[:2] for line in output("snaps").splitlines() if "Shout" in line] == [
        ["Shout", "voice"]
    ]
    assert "Say it louder.\n" in output("snaps", "shout")


def test_an_own_snap_that_cannot_be_used_hides_no_other(
    own_snap: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own_snap.write_text(OWN + "\nraise ValueError('hoarse')\n")
    assert main(["snaps"]) == 0
    captured = capsys.readouterr()
    assert "Filter" in captured.out
    assert "cannot load the snap Shout" in captured.err
    assert "shout.py:12: ValueError: hoarse" in refusal(capsys, "snaps", "Shout")


def test_an_unknown_snap_is_answered_with_a_similar_name(
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = refusal(capsys, "snaps", "Fliter")
    assert message == "engine: there is no snap called 'Fliter'; did you mean 'Filter'?\n"


def test_a_snap_of_the_platform_that_is_missing_here_is_named(
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = refusal(capsys, "snaps", "Cross", "Validator", "Classification")
    assert "SnapLogic's CrossValidatorClassification is not available here yet" in message


def test_every_function_is_a_line(output: Callable[..., str]) -> None:
    lines = output("functions").splitlines()
    assert len(lines) == len(list(function_entries()))
    assert any(line.startswith("Math.round(") for line in lines)


@pytest.mark.parametrize("name", ["trim", "text.trim", "TRIM", "text.trim()"])
def test_a_name_shows_the_help_of_a_function(name: str, output: Callable[..., str]) -> None:
    assert output("functions", name) == (
        "text.trim()   String\nWithout white space at both ends.\n\n  '  hi '.trim()  // \"hi\"\n"
    )


def test_a_name_that_several_types_have_shows_all_of_them(output: Callable[..., str]) -> None:
    text = output("functions", "concat")
    assert "text.concat(" in text
    assert "array.concat(" in text


def test_words_find_functions(output: Callable[..., str]) -> None:
    names = [line.split("(")[0] for line in output("functions", "string", "space").splitlines()]
    assert "text.trimLeft" in names


def test_the_json_of_a_function_has_its_examples(output: Callable[..., str]) -> None:
    [entry] = json.loads(output("functions", "Math.max", "--json"))
    assert entry["signature"].startswith("Math.max(")
    example = entry["examples"][0]
    assert api.evaluate(example["text"], example["given"]) == example["result"]


def test_an_unknown_function_is_answered_with_similar_names(
    capsys: pytest.CaptureFixture[str],
) -> None:
    message = refusal(capsys, "functions", "trimm")
    assert message == ("engine: there is no function called 'trimm'; did you mean 'trim'?\n")
    assert "'engine functions' lists all" in refusal(capsys, "functions", "qqqqqq")


def test_a_narrow_terminal_shows_results_below_their_expressions(
    on_terminal: Callable[..., str],
) -> None:
    assert '  \'a1b2\'.match(/\\d/g)  // ["1", "2"]' in on_terminal(40, "functions", "match")
    lines = on_terminal(40, "functions", "Date.parse").splitlines()
    long = next(place for place, line in enumerate(lines) if "yyyyMMdd" in line)
    assert lines[long + 1] == '    // "2016-09-23"'


def test_a_narrow_terminal_shows_data_of_examples_below_each_other(
    on_terminal: Callable[..., str],
) -> None:
    lines = on_terminal(60, "snaps", "Join").splitlines()
    assert max(map(len, lines)) <= 60
    start = next(place for place, line in enumerate(lines) if "output      error:" in line)
    assert lines[start + 1].startswith(" " * 18)
