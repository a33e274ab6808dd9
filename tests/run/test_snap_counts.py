"""Expressions see how many documents their snap has had, however it gets them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.documents import Document
from engine.testing import run_snap

NUMBERED = "{snap: Mapper, mappings: {$n: $n, $in: snap.in.totalCount, $out: snap.out.totalCount}}"


def run(folder: Path, snaps: str, links: str, inputs: Any = None) -> dict[str, list[Document]]:
    file = folder / "pipeline.yaml"
    file.write_text(f"snaps:\n{snaps}\nlinks: [{links}]\n")
    return dict(api.run(file, inputs=inputs).outputs)


@pytest.mark.parametrize("count", [1, 2, 1500])
def test_every_document_sees_its_own_number(tmp_path: Path, count: int) -> None:
    given = [{"n": n} for n in range(count)]
    outputs = run(tmp_path, f"  number: {NUMBERED}", "", {"number": given})
    assert outputs["number.output"] == [{"n": n, "in": n + 1, "out": n} for n in range(count)]


def test_of_lines_in_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "in.jsonl").write_text("".join(f'{{"n": {n}}}\n' for n in range(1500)))
    snaps = f"""
  read: {{snap: FileReader, file: in.jsonl}}
  parse: {{snap: JSONParser, json_lines: true}}
  odd: {{snap: Filter, filter: $n % 2 == 1}}
  number: {NUMBERED}
"""
    outputs = run(tmp_path, snaps, "read -> parse -> odd -> number")
    assert outputs["number.output"] == [{"n": 2 * n + 1, "in": n + 1, "out": n} for n in range(750)]


def test_of_rows_in_a_file_too(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("n\n" + "".join(f"{n}\n" for n in range(500)))
    snaps = f"""
  read: {{snap: FileReader, file: in.csv}}
  parse: {{snap: CSVParser}}
  number: {NUMBERED}
  format: {{snap: CSVFormatter}}
  write: {{snap: FileWriter, file: out.csv}}
"""
    run(tmp_path, snaps, "read -> parse -> number -> format -> write")
    written = (tmp_path / "out.csv").read_text().splitlines()[1:]
    assert written == [f'"{n}","{n + 1}","{n}"' for n in range(500)]


@pytest.mark.parametrize(
    "condition",
    [
        "snap.in.totalCount <= 700",
        "snap['in'].totalCount <= 700",
        "eval('sn' + 'ap.in.totalCount') <= 700",
        "snap.out.totalCount < 700",
        "Math.max(...[snap.in.totalCount]) <= 700",
        "(snap).in.totalCount <= 700",
    ],
)
def test_a_filter_can_stop_after_so_many(tmp_path: Path, condition: str) -> None:
    given = [{"n": n} for n in range(1500)]
    snaps = f'  first: {{snap: Filter, filter: "{condition}"}}'
    outputs = run(tmp_path, snaps, "", {"first": given})
    assert outputs["first.output"] == given[:700]


def test_errors_are_counted_when_they_happen(tmp_path: Path) -> None:
    snaps = """
  shape: {snap: Mapper, mappings: {$a: $a, $errors: snap.error.totalCount}, on_error: route}
"""
    given = [{"a": n} if n % 3 else {} for n in range(900)]
    outputs = run(tmp_path, snaps, "", {"shape": given})
    assert [each["errors"] for each in outputs["shape.output"]] == [
        n // 3 + 1 for n in range(900) if n % 3
    ]


def test_documents_after_it_still_travel_together(tmp_path: Path) -> None:
    """The script says how many rows it gets at once."""
    snaps = f"""
  number: {NUMBERED}
  after:
    snap: RemotePythonScript
    source: |
      def snaplogic_process_batch(rows):
          return [{{"together": len(rows)}} for row in rows]
"""
    outputs = run(tmp_path, snaps, "number -> after", {"number": [{"n": n} for n in range(400)]})
    assert max(each["together"] for each in outputs["after.output"]) > 1


def test_a_test_of_the_snap_sees_the_same() -> None:
    ran = run_snap("Mapper", {"mappings": {"$in": "snap.in.totalCount"}}, [{}, {}, {}])
    assert ran.output == [{"in": 1}, {"in": 2}, {"in": 3}]
