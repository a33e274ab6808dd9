from __future__ import annotations

from typing import Any

import pytest


def test_without_an_input_there_is_one_stream(run_snap: Any, stream: Any) -> None:
    assert run_snap("Constant", {"content": "é"}).output == stream("é".encode())


def test_with_an_input_there_is_one_for_each_document(run_snap: Any, stream: Any) -> None:
    output = run_snap("Constant", {"content": "= $n"}, [{"n": 1}, {"n": 2}]).output
    assert output == [*stream(b"1"), *stream(b"2")]
    assert run_snap("Constant", {"content": "x"}, []).output == []


@pytest.mark.parametrize(
    ("value", "data"), [(b"\xff", b"\xff"), (1.5, b"1.5"), (True, b"true"), ("", b""), (None, b"")]
)
def test_other_values_have_their_text(run_snap: Any, content: Any, value: Any, data: bytes) -> None:
    output = run_snap("Constant", {"content": "= $x"}, [{"x": value}]).output
    assert content(output) == data


def test_a_failing_expression_is_an_error_of_its_document(run_snap: Any, stream: Any) -> None:
    run = run_snap("Constant", {"content": "= $n"}, [{}, {"n": "a"}], on_error="route")
    assert run.output == stream(b"a")
    assert [error["original"] for error in run.errors] == [{}]
