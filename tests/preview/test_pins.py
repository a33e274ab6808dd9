"""Pins: documents that leave a snap in previews, and the first snap of a preview."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main

Preview = Callable[..., Any]
FETCHING = """
snaps:
  fetch: {snap: RESTGet, service_url: "https://example.org/items"}
  keep: {snap: Filter, filter: $n > 1}
links: [fetch -> keep]
"""
JOINED = """
snaps:
  left: {snap: FileReader, file: left.jsonl}
  parse_left: {snap: JSONParser, json_lines: true}
  right: {snap: FileReader, file: right.jsonl}
  parse_right: {snap: JSONParser, json_lines: true}
  join: {snap: Join, join_type: left_outer, join_paths: [{left_path: $id, right_path: $id}]}
  last: {snap: Mapper, pass_through: true, mappings: {$seen: "true"}}
links:
  - left -> parse_left -> join.left
  - right -> parse_right -> join.right
  - join -> last
"""
ROUTED = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}, {n: 2}, {n: 3}]}
  route: {snap: Router, routes: {small: $n < 3, large: $n >= 3}}
  double: {snap: Mapper, mappings: {$n: $n * 2}}
  halve: {snap: Mapper, mappings: {$n: $n / 2}}
  failed: {snap: Mapper, mappings: {$why: $reason}}
links:
  - make -> route
  - route.small -> double
  - route.large -> halve
  - route.error -> failed
"""


def _pin(text: str) -> None:
    Path("p.preview.yaml").write_text(text)


def test_pinned_documents_leave_a_snap_that_cannot_run(preview: Preview) -> None:
    _pin("pins:\n  fetch: [{n: 1}, {n: 2}, {n: 10.00}]\n")
    shown = preview(FETCHING)
    assert shown.code == 0
    assert '{"n":10.00}' in shown.out
    assert shown.items["keep.output"] == [{"n": 2}, {"n": 10.00}]
    note = shown.counts["fetch"]["note"]
    assert note == "not run: what leaves it is pinned in p.preview.yaml"


@pytest.mark.parametrize("given", ["{file: items.json}", "{csv: 'n'}"])
def test_documents_may_be_in_a_file(given: str, preview: Preview) -> None:
    Path("items.json").write_text('[{"n": 5}]')
    _pin(f"pins:\n  fetch: {given}\n")
    assert len(preview(FETCHING).items.get("fetch.output", [])) == ("file" in given)


def test_each_view_may_be_pinned_the_error_view_too(preview: Preview) -> None:
    _pin("pins:\n  route:\n    small: [{n: 10}]\n    error: [{reason: broken, original: {}}]\n")
    shown = preview(ROUTED)
    assert shown.code == 0
    assert shown.items["double.output"] == [{"n": 20}]
    assert shown.items["failed.output"] == [{"why": "broken"}]
    assert "halve.output" not in shown.items
    assert shown.counts["make"]["note"] == "not run: it feeds only snaps that are pinned"


def test_a_binary_view_may_be_pinned(preview: Preview) -> None:
    _pin("pins:\n  read: ['{\"n\": 1}']\n")
    shown = preview("""
snaps:
  read: {snap: FileReader, file: gone.json}
  parse: {snap: JSONParser}
links: [read -> parse]
""")
    assert shown.items["parse.output"] == [{"n": 1}]


@pytest.mark.parametrize("right", ["[]", "[{id: 1, r: 7}]"])
def test_a_join_gets_a_pinned_branch_beside_an_empty_one(right: str, preview: Preview) -> None:
    Path("left.jsonl").write_text('{"id": 1, "l": 2}\n')
    _pin(f"pins:\n  parse_right: {right}\n")
    shown = preview(JOINED)
    assert shown.code == 0
    assert len(shown.items["last.output"]) == 1
    Path("left.jsonl").write_text("")
    assert preview(JOINED).counts["last"]["out"] == 0


def test_a_changed_pin_runs_what_follows(preview: Preview) -> None:
    _pin("pins:\n  fetch: [{n: 2}]\n")
    preview(FETCHING)
    assert preview(FETCHING).counts["keep"]["reused"]
    _pin("pins:\n  fetch: [{n: 3}]\n")
    shown = preview(FETCHING)
    assert shown.items["keep.output"] == [{"n": 3}]
    Path("p.preview.yaml").unlink()
    assert preview(FETCHING).counts["keep"]["out"] == 0


@pytest.mark.parametrize(
    ("pins", "message"),
    [
        ("fetsh: []", "the pipeline has no snap labelled 'fetsh'"),
        ("fetsh: []", "did you mean 'fetch'?"),
        ("fetch.output: []", "write the view below the snap: fetch: {output: [...]}"),
        ("fetch: {outptu: []}", "'fetch' has no output view 'outptu'"),
        ("fetch: {outptu: []}", "did you mean 'output'?"),
        ("fetch: 7", "'fetch' must be documents, not '7'"),
        ("fetch: [1]", "a document must be a map, not '1'"),
        ("fetch: {file: gone.json}", "there is no file 'gone.json'"),
    ],
)
def test_a_mistake_in_a_pin_file_is_reported_with_its_place(
    pins: str, message: str, preview: Preview, capsys: pytest.CaptureFixture[str]
) -> None:
    _pin(f"pins:\n  {pins}\n")
    shown = preview(FETCHING)
    assert shown.code == 2
    assert message in shown.err
    assert "p.preview.yaml:2:" in shown.err
    assert main(["validate", "p.preview.yaml"]) == 2
    assert message in capsys.readouterr().err


def test_validate_finds_pin_files_in_a_folder(
    preview: Preview, capsys: pytest.CaptureFixture[str]
) -> None:
    _pin("pins:\n  fetch: [{n: 2}]\n")
    preview(FETCHING)
    assert main(["validate", "."]) == 0
    assert "p.preview.yaml: ok" in capsys.readouterr().out
    Path("p.yaml").unlink()
    assert main(["validate", "p.preview.yaml"]) == 2
    assert "there is no pipeline 'p.yaml' for these pins" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["run", "preview"])
def test_a_pin_file_is_not_a_pipeline(
    command: str, preview: Preview, capsys: pytest.CaptureFixture[str]
) -> None:
    _pin("pins:\n  fetch: [{n: 2}]\n")
    preview(FETCHING)
    assert main([command, "p.preview.yaml"]) == 2
    assert "'p.preview.yaml' is a pin file" in capsys.readouterr().err


def test_runs_and_tests_are_the_same_with_and_without_pins(
    preview: Preview, capsys: pytest.CaptureFixture[str]
) -> None:
    preview(ROUTED)
    Path("p.test.yaml").write_text(
        "cases:\n  small:\n    expect: {double.output: [{n: 2}, {n: 4}]}\n"
    )
    found = []
    for pins in ("", "pins:\n  route: {small: [{n: 100}]}\n", "pins: [broken"):
        if pins:
            _pin(pins)
        assert main(["run", "p.yaml", "--report", "r.json"]) == 0
        out = capsys.readouterr().out
        report = json.loads(Path("r.json").read_text())
        found.append((out, [(snap["label"], snap["views"]) for snap in report["snaps"]]))
        assert main(["test", "p.test.yaml"]) == 0
        capsys.readouterr()
    assert found[0] == found[1] == found[2]


def test_a_preview_may_start_at_a_snap(preview: Preview) -> None:
    Path("left.jsonl").write_text('{"id": 1, "l": 2}\n')
    Path("right.jsonl").write_text('{"id": 1, "r": 3}\n')
    preview(JOINED)
    Path("left.jsonl").unlink()
    changed = JOINED.replace('"true"', '"false"')
    shown = preview(changed, "--from", "last")
    assert set(shown.counts) == {"last"}
    assert shown.items["last.output"][0]["seen"] is False
    assert set(preview(changed, "--from", "join").counts) == {"join", "last"}


def test_a_preview_may_start_with_pins(preview: Preview) -> None:
    _pin("pins:\n  route: {small: [{n: 10}]}\n")
    shown = preview(ROUTED, "--from", "double")
    assert shown.items == {"double.output": [{"n": 20}]}


def test_a_preview_cannot_start_where_nothing_is_held(preview: Preview) -> None:
    shown = preview(ROUTED, "--from", "double")
    assert shown.code == 2
    assert (
        "--from double: what 'route' sends to 'double' is not held from an earlier preview; "
        "preview the pipeline without --from once, or pin documents of 'route' in p.preview.yaml"
    ) in shown.err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--from", "doubel"), "--from: there is no snap 'doubel'; did you mean 'double'?"),
        (("--from", "halve", "--to", "double"), "it is not one of those that 'double' needs"),
        (("--from", "halve", "--doc", "1"), "leave out --from"),
        (("--from", "halve", "--no-cache"), "leave out --no-cache"),
    ],
)
def test_a_wrong_first_snap_is_a_mistake(
    options: tuple[str, ...], message: str, preview: Preview
) -> None:
    shown = preview(ROUTED, *options)
    assert shown.code == 2
    assert message in shown.err


def test_a_first_snap_whose_input_holds_secrets_needs_more(preview: Preview) -> None:
    pipeline = """
parameters: {token: {required: true, secret: true}}
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}]}
  sign: {snap: Mapper, mappings: {$t: _token}}
  last: {snap: Mapper, mappings: {$length: $t.length}}
links: [make -> sign -> last]
"""
    given = ("--param", "token=hunter2-hunter2")
    preview(pipeline, *given)
    shown = preview(pipeline, *given, "--from", "last")
    assert shown.code == 0  # it is known
    shown = preview(pipeline.replace("t.length", "t"), *given, "--from", "last")
    assert shown.code == 2
    assert "is large or contains secrets" in shown.err
