"""At the borders of Python numbers are int and float, or on request int and Decimal."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.documents import StreamStart
from engine.errors import ConfigurationError, SnapFailedError
from engine.numbers import with_decimals, with_floats
from engine.testing import run_pipeline, run_snap

KEEP = """
snaps:
  keep: {snap: Filter, filter: 'true'}
"""
GIVEN = {
    "n": 2,
    "f": 0.1,
    "e": Decimal("29.920"),
    "list": [{"e": Decimal("1E+2")}, True, None, "1.5"],
}


def through_a_snap(given: list[Any], tmp_path: Path, **options: Any) -> list[Any]:
    return run_snap("Filter", {"filter": "true"}, given, **options).output


def through_a_text(given: list[Any], tmp_path: Path, **options: Any) -> list[Any]:
    return run_pipeline(KEEP, inputs=given, **options).output


def through_the_api(given: list[Any], tmp_path: Path, **options: Any) -> list[Any]:
    file = tmp_path / "keep.yaml"
    file.write_text(KEEP)
    return api.run(file, inputs={"keep": given}, **options).outputs["keep.output"]


borders = pytest.mark.parametrize("run", [through_a_snap, through_a_text, through_the_api])


@borders
def test_numbers_leave_as_int_and_float(run: Callable[..., list[Any]], tmp_path: Path) -> None:
    (document,) = run([GIVEN], tmp_path)
    assert document == {"n": 2, "f": 0.1, "e": 29.92, "list": [{"e": 100.0}, True, None, "1.5"]}
    numbers = (document["n"], document["f"], document["e"], document["list"][0]["e"])
    assert list(map(type, numbers)) == [int, float, float, float]


@borders
def test_numbers_leave_exactly_on_request(run: Callable[..., list[Any]], tmp_path: Path) -> None:
    (document,) = run([GIVEN], tmp_path, exact=True)
    assert repr(document) == repr({**GIVEN, "f": Decimal("0.1")})


@borders
def test_the_documents_of_the_caller_stay_as_they_are(
    run: Callable[..., list[Any]], tmp_path: Path
) -> None:
    given = {"a": [Decimal("1.10"), 0.5]}
    run([given], tmp_path)
    assert repr(given) == "{'a': [Decimal('1.10'), 0.5]}"


@pytest.mark.parametrize("number", [Decimal("NaN"), Decimal("Infinity"), Decimal("1E+10001")])
def test_a_decimal_that_documents_cannot_hold_is_refused(number: Decimal, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"the document: \$\.a is"):
        api.evaluate("$a + 1", {"a": number})
    for run in (through_a_snap, through_a_text, through_the_api):
        with pytest.raises(ConfigurationError, match=r"\$\.a is"):
            run([{"a": number}], tmp_path)


def test_an_integer_setting_takes_an_integral_decimal(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("hello")
    settings = {"file": "= $file", "retries": "= $n"}
    given = {"file": "a.txt", "n": Decimal("2.0")}
    assert b"hello" in run_snap("FileReader", settings, [given], project=tmp_path).output
    with pytest.raises(SnapFailedError, match=r"expected a whole number, got a number .'2\.5'"):
        run_snap("FileReader", settings, [{**given, "n": 2.5}], project=tmp_path)


def test_a_decimal_beyond_the_range_of_a_float_stays_exact() -> None:
    assert with_floats([Decimal("1E+400"), Decimal("1E-400")]) == [Decimal("1E+400"), 0.0]


def test_nan_and_infinity_stay_floats() -> None:
    assert repr(with_decimals([float("nan"), float("-inf"), 1e22])) == (
        "[nan, -inf, Decimal('1E+22')]"
    )


def test_the_header_of_a_stream_is_converted() -> None:
    assert with_floats(StreamStart({"size": Decimal("1.5")})) == StreamStart({"size": 1.5})


def test_a_deep_document_is_converted() -> None:
    deep: Any = Decimal("1.5")
    for _ in range(5_000):
        deep = [deep]
    made = with_floats(deep)
    while isinstance(made, list):
        (made,) = made
    assert type(made) is float
