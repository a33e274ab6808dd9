"""Settings: what a pipeline file may say, and how mistakes in it are reported."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Literal

import pytest

from engine.sdk import Evaluated, Expression, Path, Settings, setting
from engine.sdk.conversion import convert
from engine.sdk.settings import expressions_in


class Row(Settings):
    expression: Expression = setting(help="what")
    target: Path | None = setting(help="where", default=None)


class Example(Settings):
    name: str = setting(help="a name")
    count: int = setting(help="a count", default=1)
    mode: Literal["fast", "slow"] = setting(help="how", default="fast")
    file: Evaluated[str] = setting(help="a file", default=Evaluated("x"))
    rows: tuple[Row, ...] = setting(help="rows", default=())
    mappings: dict[Path, Expression] = setting(help="mappings", default={})


def issues_of(**values: Any) -> list[tuple[str, tuple[str | int, ...], str]]:
    _, issues = convert(Example, values)
    return [(issue.code, issue.path, issue.message) for issue in issues]


def test_a_missing_setting_has_its_default() -> None:
    settings, _ = convert(Example, {"name": "a"})
    assert settings == Example(name="a")


def test_every_mistake_is_reported_with_its_path() -> None:
    assert issues_of(count="2", nmae="x", rows=[{"expression": "$a"}, {"target": "$b"}]) == [
        ("unknown-setting", ("nmae",), "there is no setting 'nmae'"),
        ("wrong-type", ("count",), "'count': expected a whole number, got a string ('2')"),
        ("missing-setting", ("rows", 1), "the setting 'expression' is missing"),
    ]


def test_a_choice_may_be_in_capitals() -> None:
    settings, _ = convert(Example, {"name": "a", "mode": "SLOW"})
    assert settings == Example(name="a", mode="slow")


def test_a_wrong_choice_is_reported_with_the_valid_ones() -> None:
    assert issues_of(name="a", mode="quick") == [
        ("wrong-type", ("mode",), "'mode': expected one of fast, slow, got 'quick'")
    ]


def test_a_string_that_starts_with_an_equals_sign_is_an_expression() -> None:
    settings, _ = convert(Example, {"name": "a", "file": "= _model"})
    assert settings == Example(name="a", file=Evaluated(expression=Expression("_model")))


def test_a_setting_that_is_an_expression_needs_no_mark() -> None:
    assert issues_of(name="a", rows=[{"expression": "= $a"}]) == [
        (
            "expression-syntax",
            ("rows", 0, "expression"),
            "'expression' is always an expression, so it must not start with '='",
        )
    ]


@pytest.mark.parametrize(
    ("given", "text"),
    [(1, "1"), (True, "true"), (None, "null"), (1.5, "1.5"), (Decimal("1.50"), "1.50")],
)
def test_a_plain_value_is_taken_as_an_expression(given: Any, text: str) -> None:
    settings, _ = convert(Example, {"name": "a", "mappings": {"$x": given}})
    assert settings == Example(name="a", mappings={Path("$x"): Expression(text)})


class Waiting(Settings):
    seconds: float = setting(help="how long")
    patience: float | str = setting(help="how long at most", default=1.0)


def test_a_decimal_is_the_float_of_a_setting() -> None:
    settings, _ = convert(Waiting, {"seconds": Decimal("1.50"), "patience": Decimal("2.5")})
    assert repr(settings) == "Waiting(seconds=1.5, patience=2.5)"


@pytest.mark.parametrize("name", ["seconds", "patience"])
def test_a_decimal_beyond_the_floats_is_too_large_for_a_setting(name: str) -> None:
    _, issues = convert(Waiting, {"seconds": 1, name: Decimal("1E+400")})
    assert [issue.message for issue in issues] == [
        f"'{name}': expected a number below 1.8e308, got '1E+400'"
    ]


def test_expressions_and_paths_are_found_wherever_they_are() -> None:
    settings, _ = convert(
        Example,
        {"name": "a", "file": "=_f", "rows": [{"expression": "$a", "target": "$b"}]},
    )
    found = {path: item.text for path, item in expressions_in(settings)}
    assert found == {
        ("file",): "_f",
        ("rows", 0, "expression"): "$a",
        ("rows", 0, "target"): "$b",
    }


def test_a_long_value_is_cut_in_a_message() -> None:
    ((_, _, message),) = issues_of(name="a", count="x" * 1000)
    assert len(message) < 150
