"""Error documents say which snap they come from, and where in the pipeline file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.run.flowing import run


def errors_of(folder: Path, snap: str, documents: list[Any]) -> list[Any]:
    text = f"snaps:\n  one:\n    {snap}\n  dead: {{snap: Union}}\nlinks: [one.error -> dead]\n"
    _, failure, watching = run(folder, text, inputs={"one": documents})
    assert failure is None
    return list(watching.outputs["dead.output"])


@pytest.mark.parametrize(
    ("snap", "details"),
    [
        (
            "snap: Mapper\n    mappings:\n      $a: 1\n      $b.c: $gone",
            {"label": "one", "target": "$b.c", "line": 6},
        ),
        (
            "snap: Mapper\n    mappings:\n      $a: $n\n      $b: $n / $m\n      $c: $n / $m",
            {"label": "one", "target": "$b", "line": 6},
        ),
        (
            "snap: Mapper\n    mappings:\n      - {target: $a, expression: $n}\n"
            "      - {target: $b, expression: $gone}",
            {"label": "one", "target": "$b", "line": 6},
        ),
        (
            "snap: Mapper\n    mappings:\n      - expression: $gone",
            {"label": "one", "line": 5},
        ),
        ("snap: Filter\n    filter: $gone > 1", {"label": "one", "line": 4}),
        (
            "snap: RemotePythonScript\n    source: 'def snaplogic_process(row): return row[0]'",
            {"label": "one"},
        ),
    ],
)
def test_an_error_document_names_snap_target_and_line(
    snap: str, details: dict[str, Any], tmp_path: Path
) -> None:
    (error,) = errors_of(tmp_path, snap, [{"n": 1}])
    assert error["snap_details"] == details


def test_a_failure_that_stops_names_document_target_and_line(tmp_path: Path) -> None:
    text = """\
snaps:
  shape:
    snap: Mapper
    mappings:
      $id: $id
      $total: $price * $count
"""
    documents: list[Any] = [{"id": 1, "price": 2, "count": 3}] * 70 + [{"id": 2, "price": 2}]
    _, failure, _ = run(tmp_path, text, inputs={"shape": documents})
    place = f"{tmp_path}/pipeline.yaml"
    assert str(failure).splitlines()[0] == (
        f"snap 'shape' (Mapper at {place}:2:3) failed on document 71, "
        f"for the target '$total' at {place}:6:15"
    )


def test_a_snap_with_several_inputs_names_the_view_of_the_document(tmp_path: Path) -> None:
    text = """
    snaps:
      code: {snap: JSONGenerator, documents: {content: "def snaplogic_process(row): return 5/0"}}
      run: {snap: RemotePythonScript}
    links: [code -> run.script]
    """
    _, failure, _ = run(tmp_path, text, inputs={"run": [{"n": 1}]})
    assert "failed on document 1 of the view 'input'" in str(failure)


@pytest.mark.parametrize(("on_error", "searches"), [("discard", 0), ("route", 1)])
def test_similar_names_are_looked_for_once_and_only_if_the_message_is_shown(
    on_error: str, searches: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[str] = []

    def search(name: str, *_: Any) -> list[str]:
        searched.append(name)
        return []

    monkeypatch.setattr("difflib.get_close_matches", search)
    text = f"""
    snaps:
      one: {{snap: Filter, filter: $never_there.x > 1, on_error: {on_error}}}
      dead: {{snap: Union}}
    links: [{"one.error" if on_error == "route" else "one"} -> dead]
    """
    report, failure, _ = run(tmp_path, text, inputs={"one": [{"n": n} for n in range(200)]})
    assert failure is None
    assert report.snaps[0].errors == 200
    assert len(searched) == searches


def test_error_documents_share_nothing_but_their_texts(tmp_path: Path) -> None:
    documents = errors_of(tmp_path, "snap: Filter\n    filter: $gone > 1", [{"n": 1}, {"n": 2}])
    first, second = documents
    first["snap_details"]["label"] = "changed"
    first["error"] = "changed"
    assert second["snap_details"]["label"] == "one"
    assert second["error"] == "the expression '$gone > 1' failed"
    third, *_ = errors_of(tmp_path, "snap: Filter\n    filter: $gone > 1", [{"n": 3}])
    assert third["error"] == "the expression '$gone > 1' failed"
