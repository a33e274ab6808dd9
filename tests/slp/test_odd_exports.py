"""Exports with what nobody expects: names of variables, script files, control characters."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli import main
from tests.slp.conftest import Import
from tests.slp.exports import GENERATOR, UNKNOWN, Json, export, mapper, snap, value, write

SNAP_SCRIPT = "com-snaplogic-snaps-script-script"


def _greeting(default: str) -> Json:
    settings = {"editable_content": value("[{}]")}
    return export(
        {
            "start": snap(GENERATOR, "Start", settings, version=2, inputs={}),
            "map": mapper("Greet", [("_greeting", "$greeting")]),
        },
        ["start map"],
        parameters=[{"key": "greeting", "value": default}],
    )


@pytest.mark.parametrize("text", ["${env:SECRET}", "a ${env:SECRET} b", "$${env:SECRET}"])
def test_a_parameter_never_reads_the_environment(
    text: str,
    imported: Import,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("SECRET", "of this machine")
    first = imported(_greeting(text))
    assert f"warning: the parameter 'greeting' keeps its text '{text}'" in capsys.readouterr().out
    for file in ("exports/orders.slp", "project/orders.yaml"):
        assert main(["run", str(tmp_path / file), "--quiet"]) == 0
        assert capsys.readouterr().out == f'{{"greeting":"{text}"}}\n'
    again = str(tmp_path / "orders.slp")
    assert main(["export", str(tmp_path / "project" / "orders.yaml"), "-o", again]) == 0
    assert main(["import", again, "-o", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / "orders.yaml").read_text() == first


def test_an_export_says_that_a_default_reads_the_environment_only_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "parameters: {home: '${env:HOME}'}\nsnaps: {a: {snap: JSONGenerator, documents: [{}]}}\n"
    file = write(tmp_path, "home.yaml", text)
    assert main(["export", str(file), "-o", str(tmp_path / "home.slp")]) == 0
    said = "".join(capsys.readouterr())
    assert "the default of the parameter 'home' reads the environment here" in said


def _script(file: str, text: str | None) -> Json:
    settings = {"language": value("Python"), "script": value(file), "editable_content": value(text)}
    return export({"run": snap(SNAP_SCRIPT, "Run", settings, version=2)})


def test_a_script_file_is_named_by_the_snap(imported: Import) -> None:
    text = imported(_script("sldb:///shared/pivot.py", None))
    assert "    snap: Script\n    script: sldb:///shared/pivot.py\n" in text


def test_the_text_in_the_editor_wins_over_a_script_file(
    imported: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    text = imported(_script("pivot.py", "print(1)"))
    assert "script: scripts/orders/run.py" in text
    said = "run: the file 'pivot.py' is not used, because 'editable_content' has a text"
    assert said in capsys.readouterr().out


def test_a_script_file_that_is_elsewhere_goes_back_by_its_name(
    imported: Import, tmp_path: Path
) -> None:
    first = imported(_script("pivot.py", None))
    again = str(tmp_path / "orders.slp")
    assert main(["export", str(tmp_path / "project" / "orders.yaml"), "-o", again]) == 0
    assert main(["import", again, "-o", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again" / "orders.yaml").read_text() == first


def test_the_report_escapes_what_a_terminal_would_obey_and_shortens_it(
    imported: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    odd = UNKNOWN + "\n\x1b[31m" + "x" * 500
    text = imported(export({"a": snap(odd, "First\nsecond\x1b[2J", {})}, ["a:nowhere a"]))
    report = capsys.readouterr().out
    assert f"SnapLogic's snap '{UNKNOWN}\\n\\x1b[31mxxx" in report
    assert "\x1b" not in report + text
    assert max(map(len, report.splitlines())) < 400


def test_a_table_of_coverage_escapes_class_ids(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "odd.slp", export({"a": snap(UNKNOWN + "\x1b[31m", "First", {})}))
    assert main(["coverage", str(tmp_path)]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_a_version_of_a_snap_that_is_newer_than_ours_is_a_warning(
    imported: Import, capsys: pytest.CaptureFixture[str]
) -> None:
    imported(export({"a": snap(GENERATOR, "Data", {}, version=99, inputs={})}))
    assert "warning: data: it has version 99 of its class" in capsys.readouterr().out


def test_a_result_field_is_a_name_and_never_a_path(
    imported: Import, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fields = [("$Count", "COUNT"), ("a.b", "SUM"), ("plain", "MAX"), ("it's", "MIN")]
    rows = [
        {
            "function": value(f),
            "field": {"value": "$n", "expression": True},
            "resultField": value(n),
        }
        for n, f in fields
    ]
    group = {"fieldPath": {"value": "$n", "expression": True}, "fieldName": value("$n")}
    settings = {"aggregateFields": value(rows), "groupByFields": value([group])}
    start = {"editable_content": value('[{"n": 1}]')}
    snaps = {
        "start": snap(GENERATOR, "Start", start, version=2, inputs={}),
        "total": snap("com-snaplogic-snaps-transform-aggregate", "Total", settings, version=3),
    }
    first = imported(export(snaps, ["start total"]))
    capsys.readouterr()
    assert main(["run", str(tmp_path / "project/orders.yaml"), "--quiet"]) == 0
    expected = '{"$n":1,"$Count":1,"a.b":1,"plain":1,"it\'s":1}\n'
    assert capsys.readouterr().out == expected
    again = str(tmp_path / "orders.slp")
    assert main(["export", str(tmp_path / "project/orders.yaml"), "-o", again]) == 0
    assert '"value": "$Count"' in Path(again).read_text()
    assert main(["import", again, "-o", str(tmp_path / "again")]) == 0
    assert (tmp_path / "again/orders.yaml").read_text() == first
