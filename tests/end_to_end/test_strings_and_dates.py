"""Emoji that are cut and joined, and dates of an autumn night, from a file to a file."""

from __future__ import annotations

import json
from pathlib import Path

from tests.end_to_end.conftest import Engine

PIPELINE = """\
pipeline: Strings
snaps:
  read: {snap: FileReader, file: in.json}
  parse: {snap: JSONParser}
  map:
    snap: Mapper
    mappings:
MAPPINGS
  format: {snap: JSONFormatter, format_each_document: true}
  write: {snap: FileWriter, file: out.json}
links:
  - read -> parse -> map -> format -> write
"""


def write_pipeline(folder: Path, document: object, mappings: dict[str, str]) -> None:
    rows = "\n".join(f"      {target}: {json.dumps(text)}" for target, text in mappings.items())
    (folder / "p.yaml").write_text(PIPELINE.replace("MAPPINGS", rows), encoding="utf-8")
    (folder / "in.json").write_text(json.dumps(document), encoding="utf-8")


def test_an_emoji_cut_in_two_and_joined_is_written_as_it_was(
    tmp_path: Path, engine: Engine
) -> None:
    mappings = {
        "$sum": "$t.substring(0, 2) + $t.substring(2)",
        "$same": "$t.split('').join('') == $t",
        "$base64": "Base64.encode($t.substring(0, 2).concat($t.substring(2)))",
        "$place": "$t.indexOf('b')",
        "$words": "$t.snakeCase()",
    }
    write_pipeline(tmp_path, [{"t": "a😀b"}], mappings)
    done = engine("run", "p.yaml")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8")) == {
        "sum": "a😀b",
        "same": True,
        "base64": "YfCfmIBi",
        "place": 3,
        "words": "a_😀_b",
    }


def test_half_an_emoji_fails_its_document_with_the_place(tmp_path: Path, engine: Engine) -> None:
    write_pipeline(tmp_path, [{"t": "a😀b"}], {"$base64": "Base64.encode($t.slice(0, 2))"})
    done = engine("run", "p.yaml")
    assert done.returncode == 1
    assert "half of a surrogate pair (\\ud83d) at position 1" in done.stdout + done.stderr


def test_a_date_keeps_its_hour_and_its_zone_through_text(tmp_path: Path, engine: Engine) -> None:
    text = "2021-10-31 02:30 Central European Standard Time"
    pattern = "'yyyy-MM-dd HH:mm zzzz'"
    mappings = {
        "$read": f"Date.parse($t, {pattern}).toString()",
        "$year": "LocalDate.parse('2021-01-03').toString('YYYY ww')",
    }
    write_pipeline(tmp_path, [{"t": text}], mappings)
    done = engine("run", "p.yaml")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "out.json").read_text(encoding="utf-8")) == {
        "read": "2021-10-31T01:30:00.000Z",
        "year": "2020 53",
    }
