"""`engine schema` prints and writes JSON Schemas."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main

OWN = '''"""Say it louder."""

from engine.sdk import Document, Settings, Snap, setting


class ShoutSettings(Settings):
    volume: int = setting(default=11, help="How loud.", example=12)


class Shout(Snap[ShoutSettings]):
    def process(self, document: Document) -> Document:
        return document
'''


def test_the_schema_of_pipelines_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    schema = json.loads(capsys.readouterr().out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["title"] == "Snapline pipeline"
    assert "Filter" in schema["$defs"]


@pytest.mark.parametrize("kind", ["pipeline", "task", "account", "test"])
def test_each_kind_of_file_has_a_schema(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema", kind]) == 0
    assert kind in json.loads(capsys.readouterr().out)["title"]


def test_a_schema_is_written_to_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "new" / "task.json"
    assert main(["schema", "task", "-o", str(path)]) == 0
    assert capsys.readouterr().out == f"wrote {path}\n"
    assert json.loads(path.read_text())["title"] == "Snapline task"


def test_all_schemas_are_written_into_a_folder(tmp_path: Path) -> None:
    assert main(["schema", "--all", str(tmp_path / "schemas")]) == 0
    assert sorted(file.name for file in (tmp_path / "schemas").iterdir()) == [
        "account.schema.json",
        "pins.schema.json",
        "pipeline.schema.json",
        "task.schema.json",
        "test.schema.json",
    ]


def test_a_schema_that_cannot_be_written_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["schema", "-o", str(tmp_path / "file" / "schema.json")]) == 2
    assert f"cannot write the file '{tmp_path / 'file' / 'schema.json'}'" in capsys.readouterr().err


def test_the_settings_of_an_own_snap_are_in_the_schema(
    engine: Any, with_snap: Callable[[str, str], dict[str, str]]
) -> None:
    printed = engine("schema", env=with_snap("shout", OWN))
    shout = json.loads(printed.stdout)["$defs"]["Shout"]
    assert shout["description"] == "Say it louder."
    assert shout["properties"]["volume"] == {
        "type": ["integer", "null"],
        "description": "How loud.",
        "markdownDescription": "How loud.\n\n*integer*",
        "default": 11,
        "examples": [12],
    }
