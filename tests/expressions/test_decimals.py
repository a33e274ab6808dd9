"""Numbers in expressions: exact decimals, compared by value, within bounds."""

from __future__ import annotations

import asyncio
import io
import json
import threading
from collections.abc import Callable, Iterator
from decimal import Decimal, getcontext, localcontext
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine import api
from engine.cli import main
from engine.errors import ExpressionError
from engine.expressions import compile_expression, compile_mapping, evaluate, to_json
from engine.expressions.decimals import exact_decimals

VECTORS = Path(__file__).parents[3] / "shared" / "vectors" / "decimals.jsonl"


def read_vectors() -> Iterator[dict[str, Any]]:
    """One list for each kind, so that two thousand vectors are a handful of tests."""
    if not VECTORS.exists():
        pytest.skip("shared/vectors is not here")
    for line in VECTORS.read_text(encoding="utf-8").splitlines():
        yield json.loads(line, parse_float=Decimal)


def disagreement(vector: dict[str, Any], value: Any) -> str:
    """What is wrong with a value, or ''."""
    text = to_json(value).decode()
    if vector["expected"] in ("true", "false"):
        return "" if text == vector["expected"] else text
    is_equal = Decimal(text) == Decimal(vector["expected"])
    written = vector.get("jackson", text), vector.get("jackson_plain", text)
    return "" if is_equal and text in written else text


def disagreements(convert: Callable[[Any], Any] = lambda value: value) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for vector in read_vectors():
        document = {name: convert(value) for name, value in vector["doc"].items()}
        if wrong := disagreement(vector, evaluate(vector["expr"], document)):
            found.append((vector["expr"], wrong))
    return found


def test_arithmetic_returns_what_java_returns() -> None:
    assert disagreements() == []


def test_arithmetic_in_the_exact_context_returns_the_same() -> None:
    with exact_decimals():
        assert disagreements() == []


def test_a_decimal_context_of_the_caller_that_rounds_has_no_effect() -> None:
    with localcontext() as context:
        context.prec = 3
        assert disagreements() == []


def test_a_float_counts_as_its_shortest_decimal() -> None:
    def as_float(value: Any) -> Any:
        near = float(value)
        return near if isinstance(value, Decimal) and Decimal(repr(near)) == value else value

    for vector in read_vectors():
        document = {name: as_float(value) for name, value in vector["doc"].items()}
        value = evaluate(vector["expr"], document)
        if vector["expected"] in ("true", "false"):
            assert str(value).lower() == vector["expected"], vector
        else:
            assert Decimal(value) == Decimal(vector["expected"]), vector


def test_another_thread_computes_exactly() -> None:
    product = compile_expression("$a * $b")
    document = {"a": Decimal("12345678901234567890.123"), "b": Decimal("98765432109876543210.5")}
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(product(document)))
    thread.start()
    thread.join()
    with exact_decimals():
        assert found == [document["a"] * document["b"]]


def test_tasks_compute_exactly_and_keep_their_own_context() -> None:
    product = compile_expression("$a * $b")
    document = {"a": Decimal("12345678901234567890.123"), "b": Decimal("98765432109876543210.5")}

    async def within() -> tuple[Any, int]:
        with exact_decimals():
            await asyncio.sleep(0)
            return product(document), getcontext().prec

    async def outside() -> tuple[Any, int]:
        await asyncio.sleep(0)
        return product(document), getcontext().prec

    async def both() -> Any:
        return await asyncio.gather(within(), outside())

    before = getcontext().prec
    (inner, wide), (outer, plain) = asyncio.run(both())
    assert inner == outer
    assert wide > plain == before == getcontext().prec


@given(st.decimals(allow_nan=False, allow_infinity=False, places=3), st.integers(-(10**25), 10**25))
def test_operators_return_the_same_inside_and_outside_of_the_exact_context(
    a: Decimal, b: int
) -> None:
    text = "[$a + $b, $b - $a, $a * $b, $b * $a, $a * 1.10, 7 + $a, $a - $a, -$a, $a < $b]"
    outside = evaluate(text, {"a": a, "b": b})
    with exact_decimals():
        assert str(evaluate(text, {"a": a, "b": b})) == str(outside)
        assert outside[:4] == [a + b, b - a, a * b, b * a]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("(605.3109 - 581.2025) * 100 / 581.2025", "4.148020698465681066409728106813030"),
        ("10/3", "3.333333333333333333333333333333333"),
        ("1.10", "1.10"),
        ("0.1 + 0.2", "0.3"),
        ("1.10 * 1", "1.10"),
        ("-5 * 0.0", "0.0"),
        ("-(0.00)", "0.00"),
        ("-5.0 % 5", "0.0"),
        ("6 / 3", "2"),
        ("1e3", "1E+3"),
        ("1 == 1.0 && 0.1 == 0.10 && [1.50] == [1.5] && {a: 1} == {a: 1.0}", "true"),
        ("'1.10' * 1", "1.10"),
        ("parseFloat('1.10 EUR')", "1.10"),
        ("parseFloat('2.0')", "2"),
        ("parseInt('1.99')", "1"),
        ("JSON.parse('[29.920, 1e2, 12345678901234567]')", "[29.920,1E+2,12345678901234567]"),
        ("JSON.stringify({a: 29.920, b: 1e2})", '"{\\"a\\":29.920,\\"b\\":100}"'),
        ("[1.10, 2.00, 1e2, 1e21, 0.00000010, 0.0].join(' ')", '"1.1 2 100 1e+21 1e-7 0"'),
        ("'' + 1.10 + ' ' + 0.5 * 2", '"1.1 1"'),
        (
            "[1.5e300, 1.50e30, 2.5e-10, -1e20].join(' ')",
            '"1.5e+300 1.5e+30 2.5e-10 -1' + "0" * 20 + '"',
        ),
        ("(10/4).toString()", '"2.5"'),
        ("(12345678901234567890.125).toFixed(2)", '"12345678901234567890.13"'),
        ("(0.000123456).toExponential(2)", '"1.23e-4"'),
        ("(123.456).toPrecision(4)", '"123.5"'),
        ("'%.2f|%,.1f|%s'.sprintf(1.005, 1234567.25, 1.50)", '"1.01|1,234,567.3|1.5"'),
        ("'%e'.sprintf(0.00012)", '"1.200000e-04"'),
        ("Math.sqrt(16) + Math.sqrt(2)", "5.4142135623730951"),
        ("Math.abs(-1.50)", "1.50"),
        ("Math.round(-2.5) + Math.round(2.5)", "1"),
        ("[Math.floor(-1.1), Math.ceil(1.1), Math.trunc(-1.9), Math.sign(-0.5)]", "[-2,2,-1,-1]"),
        ("Math.max(1.50, 1.5, 1)", "1.50"),
        ("Math.min(...[2.5, 0.10])", "0.10"),
        ("[0.1, 0.2, 0.3].sum()", "0.6"),
        ("[1.5, 2].indexOf(2.0)", "1"),
        ("[2.5, 10, 1.25].sort((a, b) => a - b)", "[1.25,2.5,10]"),
        ("sl.range(0, 0.5, 0.1)", "[0.0,0.1,0.2,0.3,0.4]"),
        ("typeof 1.5 + (1.5 instanceof Number)", '"numbertrue"'),
        ("match 1.50 { 1.5 => 'same', _ => 'other' }", '"same"'),
        ("match 1.50 { 1..<2 => 'in', _ => 'out' }", '"in"'),
        ("['a', 'b'][1.0]", '"b"'),
        ("Date.parse(1500000000000.0).getTime()", "1500000000000"),
        ("Date.parse('2020-01-01T00:00:00Z').plusDays(1.5).getHours()", "12"),
        ("{[1.50]: 1}", '{"1.5":1}'),
        ("0.00 ? 1 : 2", "2"),
        ("1.5 > NaN || 1.5 < NaN", "false"),
        ("'1e1000' > 5", "true"),
    ],
)
def test_a_decimal_leaves_the_command_as_it_is(
    text: str, written: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", text]) == 0
    assert capsys.readouterr().out == f"{written}\n"
    assert main(["eval", f"[1].map(x => ({text}))[0]"]) == 0
    assert capsys.readouterr().out == f"{written}\n"


def test_a_document_keeps_its_numbers(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    text = '{"price": 29.920, "id": 1234567890123456789012345678901234567890, "n": 1e2}'
    monkeypatch.setattr("sys.stdin", io.StringIO(text))
    assert main(["eval", "[$price, $id, $n, $price * 2]", "--doc", "-"]) == 0
    written = "[29.920,1234567890123456789012345678901234567890,1E+2,59.840]\n"
    assert capsys.readouterr().out == written


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("$big * $big", "the product would be too large (limit 1E+10000)"),
        ("$small * $small", "the product would be too small (limit 1E-10000)"),
        ("$big + 1", "the sum would be too long (limit 4,300 digits)"),
        ("$small - 1", "the difference would be too long (limit 4,300 digits)"),
        ("$small / $big", "the quotient would be too small (limit 1E-10000)"),
        ("$long * $long", "the product would be too long (limit 4,300 digits)"),
        ("$whole * $whole", "the product would be too long (limit 4,300 digits)"),
    ],
)
def test_a_result_out_of_bounds_is_refused_where_it_was_computed(text: str, message: str) -> None:
    document = {
        "big": Decimal("1E+9000"),
        "small": Decimal("1E-9000"),
        "long": Decimal("1." + "7" * 4000),
        "whole": 7 * 10**4000 + 1,
    }
    for null_safe in (False, True):
        with pytest.raises(ExpressionError) as caught:
            evaluate(f"[1].map(x => {text})", document, null_safe=null_safe)
        assert caught.value.message == message
        with exact_decimals(), pytest.raises(ExpressionError) as caught:
            evaluate(text, document)
        assert caught.value.message == message
        place = caught.value.offset, caught.value.offset + caught.value.length
        assert text[slice(*place)] == text


@pytest.mark.parametrize("text", ["1e10001", "1e-99999999999", "$a + 1" + "0" * 5000])
def test_a_number_out_of_bounds_in_an_expression_is_a_mistake(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", text]) == 2
    assert "number" in capsys.readouterr().err


def test_a_number_out_of_bounds_in_json_text_is_refused() -> None:
    with pytest.raises(ExpressionError, match="the exponent of 1e99999 is out of range"):
        evaluate("JSON.parse('[1e99999]')")


def test_python_gets_floats_unless_it_asks_for_exact_numbers() -> None:
    assert repr(api.evaluate("[0.1 + 0.2, 1.10, 3]")) == "[0.3, 1.1, 3]"
    assert repr(api.evaluate("1.10", exact=True)) == "Decimal('1.10')"


def test_a_mapping_writes_decimals_of_documents_and_of_floats() -> None:
    mapping = compile_mapping([("$total", "$price * $quantity"), ("$net", "$price / 1.25")])
    exact = {"total": Decimal("59.970"), "net": Decimal("15.992")}
    assert mapping({"price": Decimal("19.990"), "quantity": 3}) == exact
    assert mapping({"price": 19.99, "quantity": 3}) == exact
    with exact_decimals():
        assert mapping({"price": Decimal("19.990"), "quantity": 3}) == exact
