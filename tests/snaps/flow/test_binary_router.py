from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import InvalidPipelineError, SnapFailedError


def test_streams_go_where_the_header_says_in_all_their_pieces(run_snap: Any, stream: Any) -> None:
    long, short = stream(*[b"x"] * 300, size=300), stream(b"y", size=1)
    routes = {"long": "$size > 100", "all": "true"}
    outputs = run_snap("BinaryRouter", {"routes": routes}, [*short, *long, *short]).outputs
    assert outputs == {"long": long, "all": [*short, *long, *short]}


def test_with_first_match_a_stream_goes_to_one_output(run_snap: Any, stream: Any) -> None:
    settings = {"routes": {"a": "$size > 1", "b": "$gone == 1"}, "first_match": True}
    given = stream(b"x", size=2)
    assert run_snap("BinaryRouter", settings, given).outputs == {"a": given}


def test_a_stream_without_a_route_is_dropped(run_snap: Any, stream: Any) -> None:
    run = run_snap("BinaryRouter", {"routes": {"a": "$size > 1"}}, stream(b"x", size=1))
    assert (run.outputs, run.dropped) == ({}, 1)


def test_a_header_that_fails_is_an_error_and_its_stream_goes_nowhere(
    run_snap: Any, stream: Any
) -> None:
    given = [*stream(b"x", b"y", a=1), *stream(b"z", size=2)]
    run = run_snap("BinaryRouter", {"routes": {"o": "$size > 1"}}, given, on_error="route")
    assert run.outputs["o"] == stream(b"z", size=2)
    assert [error["original"] for error in run.errors] == [{"a": 1}]


def test_without_conditions_the_outputs_take_turns(run_snap: Any, stream: Any) -> None:
    rows = [{"output": "b"}, {"output": "a"}]
    one, two = stream(b"1", b"2"), stream(b"3")
    outputs = run_snap("BinaryRouter", {"routes": rows}, [*one, *two]).outputs
    assert outputs == {"a": one, "b": two}


def test_another_value_than_true_or_false_fails_the_pipeline(run_snap: Any, stream: Any) -> None:
    with pytest.raises(SnapFailedError, match="must return true or false"):
        run_snap("BinaryRouter", {"routes": {"x": "$size"}}, stream(size=1), on_error="discard")


def test_there_must_be_a_route(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="there are no routes"):
        run_snap("BinaryRouter", {"routes": {}}, [])


def test_files_are_sorted_by_their_names(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("csv")
    (tmp_path / "b.txt").write_text("txt")
    (tmp_path / "p.yaml").write_text(
        "snaps:\n"
        "  names: {snap: JSONGenerator, documents: [{f: a.csv}, {f: b.txt}]}\n"
        "  read: {snap: FileReader, file: = $f}\n"
        "  route: {snap: BinaryRouter, routes: "
        "{csv: \"$['content-location'].endsWith('.csv')\", rest: 'true'}, first_match: true}\n"
        "  csv: {snap: FileWriter, file: csv.out}\n  rest: {snap: FileWriter, file: rest.out}\n"
        "links: [names -> read -> route, route.csv -> csv, route.rest -> rest]\n"
    )
    api.run(tmp_path / "p.yaml")
    assert (tmp_path / "csv.out").read_text() == "csv"
    assert (tmp_path / "rest.out").read_text() == "txt"
