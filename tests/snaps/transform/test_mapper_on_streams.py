"""Mapper with binary views: it maps the headers of streams."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.documents import StreamEnd, StreamStart
from engine.errors import InvalidPipelineError

BINARY = {"input_type": "binary", "output_type": "binary"}


def test_the_header_is_mapped_and_the_bytes_pass(run_snap: Any, stream: Any) -> None:
    settings = {**BINARY, "mappings": {"$name": "$name + '.txt'"}}
    given = [*stream(b"one", b"two", name="a", size=6), *stream(name="b")]
    output = run_snap("Mapper", settings, given).output
    assert output == [*stream(b"one", b"two", name="a.txt"), *stream(name="b.txt")]


def test_a_header_may_pass_through(run_snap: Any, stream: Any) -> None:
    settings = {**BINARY, "mappings": {"$x": "1"}, "pass_through": True}
    output = run_snap("Mapper", settings, stream(b"one", name="a")).output
    assert output == stream(b"one", name="a", x=1)


def test_a_header_that_fails_is_an_error_and_its_stream_is_skipped(
    run_snap: Any, stream: Any
) -> None:
    settings = {**BINARY, "mappings": {"$x": "$name"}}
    given = [*stream(b"one", b"two", size=6), *stream(b"three", name="b")]
    run = run_snap("Mapper", settings, given, on_error="route")
    assert run.output == stream(b"three", x="b")
    assert [error["original"] for error in run.errors] == [{"size": 6}]


def test_a_broken_stream_stays_broken(run_snap: Any) -> None:
    given = [StreamStart({"n": 1}), b"x", StreamEnd(broken=True)]
    output = run_snap("Mapper", {**BINARY, "mappings": {"$m": "$n"}}, given).output
    assert output == [StreamStart({"m": 1}), b"x", StreamEnd(broken=True)]


def test_headers_may_become_documents(run_snap: Any, stream: Any) -> None:
    settings = {"input_type": "binary", "mappings": {"$file": "$name"}}
    given = [*stream(b"one", name="a"), StreamStart({"name": "b"}), StreamEnd(broken=True)]
    run = run_snap("Mapper", settings, given)
    assert (run.output, run.dropped) == ([{"file": "a"}], 1)


def test_documents_cannot_become_streams(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="has no bytes for a binary stream"):
        run_snap("Mapper", {"output_type": "binary", "mappings": {"$a": "1"}}, [])


def test_a_file_is_renamed_on_its_way(tmp_path: Path) -> None:
    (tmp_path / "in.txt").write_text("hello")
    (tmp_path / "p.yaml").write_text(
        "snaps:\n  read: {snap: FileReader, file: in.txt}\n"
        "  name: {snap: Mapper, input_type: binary, output_type: binary, "
        "mappings: {$to: \"'copy.txt'\"}}\n"
        "  write: {snap: FileWriter, file: = $to}\nlinks: [read -> name -> write]\n"
    )
    api.run(tmp_path / "p.yaml")
    assert (tmp_path / "copy.txt").read_text() == "hello"
