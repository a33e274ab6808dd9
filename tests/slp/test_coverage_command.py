"""`engine coverage` says how much of a folder of exports would run here."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from engine.cli import main
from tests.slp.exports import (
    READER,
    REST_GET,
    UNKNOWN,
    export,
    expression,
    mapper,
    snap,
    value,
    write,
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    good = export({"a": mapper("Map", [("1 + $x", "$n"), ("$y", "$m")])})
    write(tmp_path, "a/good.slp", good)
    write(tmp_path, "b/copy of good.slp", good)
    write(tmp_path, "a/horn.slp", export({"h": snap(UNKNOWN, "Horn", {"w": expression("$a ==")})}))
    raw = {"serviceUrl": value("https://example.org"), "rawData": value(True), "odd": value(1)}
    write(tmp_path, "a/raw.slp", export({"r": snap(REST_GET, "Ask", raw)}))
    off = snap(UNKNOWN, "Horn", mode="Disabled")
    write(tmp_path, "a/off.slp", export({"a": mapper("Map", [("1", "$n")]), "h": off}))
    write(tmp_path, "a/empty.slp", export({}))
    write(tmp_path, "a/broken.slp", "{")
    return tmp_path


def test_the_numbers_are_there_as_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", str(folder), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["pipelines"] == {"distinct": 4, "supported": 2, "repeated": 1, "empty": 1}
    assert found["expressions"]["number"] == 4
    assert found["expressions"]["valid"] == 3
    assert found["expressions"]["invalid"] == [{"text": "$a ==", "number": 1}]
    assert [Path(each["file"]).name for each in found["unreadable"]] == ["broken.slp"]
    by_class = {each["class_id"]: each for each in found["snaps"]}
    assert by_class[UNKNOWN]["status"] == "unknown"
    assert by_class[UNKNOWN]["snaps"] == by_class[UNKNOWN]["pipelines"] == 2
    assert by_class[REST_GET]["status"] == "partly"
    assert by_class[REST_GET]["unsupported"] == {"rawData: the body of the response as it is": 1}
    assert by_class[REST_GET]["unknown_keys"] == {"odd": 1}
    files = {Path(each["file"]).name: each for each in found["files"]}
    assert files["off.slp"]["supported"]
    assert files["horn.slp"]["lacks"] == [f"horn: SnapLogic's snap {UNKNOWN}"]


def test_a_pipeline_that_is_incomplete_is_not_held_against_the_engine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path, "one.slp", export({"r": snap(READER, "Read", {}, inputs={})}))
    assert main(["coverage", str(tmp_path), "--json"]) == 0
    (found,) = json.loads(capsys.readouterr().out)["files"]
    assert found["supported"]
    assert found["faults"] == ["missing-setting: FileReader: the setting 'file' is missing"]


def test_the_table_names_what_is_missing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["coverage", str(folder)]) == 0
    shown = capsys.readouterr().out
    assert "pipelines         4          2  50.0 %" in shown
    assert "not supported" in shown
    assert "RESTGet; without rawData: the body of the response as it is (1)" in shown
    assert "ask (RESTGet): the body of the response as it is (rawData)" in shown


def test_a_folder_without_exports_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["coverage", str(tmp_path)]) == 2
    assert "there are no .slp files in these folders" in capsys.readouterr().err


def test_a_column_that_has_its_default_is_supported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, kind in (("text", "Text"), ("file", "File")):
        part = {"partType": value(kind), "partKey": value("k"), "partValue": value("v")}
        entity = {"entityType": value("form-data"), "multipartForm": value([part])}
        settings = {"uri": value("https://example.org"), "httpEntity": value(entity)}
        client = snap("com-snaplogic-snaps-apisuite-httpclient", "Call", settings)
        write(tmp_path, f"{name}.slp", export({"c": client}))
    assert main(["coverage", str(tmp_path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["pipelines"]["supported"] == 1
