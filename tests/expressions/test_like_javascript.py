"""Random expressions return the same as in Node.js, where the two languages agree."""

from __future__ import annotations

import json
import math
import random
import shutil
import subprocess
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.expressions import evaluate

NODE = shutil.which("node")
_RUN = """
const texts = JSON.parse(require('fs').readFileSync(0, 'utf8'));
const shown = v => typeof v === 'number' && !Number.isFinite(v) ? {special: String(v)}
  : Array.isArray(v) ? v.map(shown) : v === undefined ? null : v;
console.log(JSON.stringify(texts.map(text => {
  try { return {value: shown((0, eval)('(' + text + ')'))}; }
  catch (e) { return {error: String(e)}; }
})));
"""


class Generator:
    """Random expressions of a given type, using only what both languages have."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def expression(self) -> str:
        return self.random.choice([self.number, self.text, self.truth, self.array])(4)

    def pick(self, depth: int, leaf: Callable[[], str], *branches: Callable[[int], str]) -> str:
        if depth <= 0 or self.random.random() < 0.15:
            return leaf()
        return self.random.choice(branches)(depth - 1)

    def small(self) -> str:
        return str(self.random.randint(-3, 8))

    def number(self, depth: int) -> str:
        number, text, array = self.number, self.text, self.array
        op = self.random.choice(["+", "-", "*", "/", "%"])
        function = self.random.choice(
            ["abs", "ceil", "floor", "round", "trunc", "sign", "sqrt", "cbrt"]
        )
        return self.pick(
            depth,
            lambda: self.random.choice(
                [
                    "0",
                    "1",
                    "2",
                    "7",
                    "10",
                    "255",
                    "1.5",
                    "0.25",
                    "3.75",
                    "100",
                    "1e3",
                    "0.1",
                    "12345",
                ]
            ),
            lambda d: f"({number(d)} {op} {number(d)})",
            lambda d: f"({number(d)} {op} {number(d)})",
            lambda d: f"(-({number(d)}))",
            lambda d: f"(+{text(d)})",
            lambda d: f"Math.{function}({number(d)})",
            lambda d: f"Math.{self.random.choice(['max', 'min'])}({number(d)}, {number(d)})",
            lambda d: f"({self.truth(d)} ? {number(d)} : {number(d)})",
            lambda d: f"{text(d)}.length",
            lambda d: f"{text(d)}.{self.random.choice(['indexOf', 'lastIndexOf'])}({text(0)})",
            lambda d: f"{text(d)}.charCodeAt({self.small()})",
            lambda d: f"parseInt({text(d)})",
            lambda d: f"parseFloat({text(d)})",
            lambda d: f"{array(d)}.length",
            lambda d: f"{array(d)}.reduce((a, x) => a + x, 0)",
            lambda d: f"({text(d)} {self.random.choice(['-', '*'])} {number(d)})",
        )

    def text(self, depth: int) -> str:
        number, text = self.number, self.text
        cut = self.random.choice(["slice", "substring", "substr"])
        plain = self.random.choice(["toUpperCase()", "toLowerCase()", "trim()", "toString()"])
        return self.pick(
            depth,
            lambda: self.random.choice(
                [
                    "''",
                    "'a'",
                    "'Hello'",
                    "' x '",
                    "'12'",
                    "'3.5'",
                    "'a,b,c'",
                    "'aXbX'",
                    "'é'",
                    "'1e2'",
                ]
            ),
            lambda d: f"({text(d)} + {text(d)})",
            lambda d: f"({text(d)} + {number(d)})",
            lambda d: f"({text(d)} + {self.truth(d)})",
            lambda d: f"{text(d)}.{plain}",
            lambda d: f"{text(d)}.{cut}({self.small()}, {self.small()})",
            lambda d: f"{text(d)}.{cut}({self.small()})",
            lambda d: f"{text(d)}.charAt({self.small()})",
            lambda d: f"{text(d)}.concat({text(d)}, {number(d)})",
            lambda d: f"{text(d)}.replace({text(0)}, {text(0)})",
            lambda d: f"{text(d)}.replace(/[a-c]/g, '<$&>')",
            lambda d: f"{text(d)}.replaceAll('a', {text(0)})",
            lambda d: f"{text(d)}.repeat({self.random.randint(0, 3)})",
            lambda d: f"{text(d)}.split({text(0)}).join({text(0)})",
            lambda d: f"{text(d)}.split(/[ ,X]/).join('|')",
            lambda d: f"({self.truth(d)} ? {text(d)} : {text(d)})",
            lambda d: f"({text(d)} || {text(d)})",
            lambda d: f"{self.array(d)}.join({text(0)})",
            lambda d: f"(Math.round({number(d)})).toString()",
        )

    def truth(self, depth: int) -> str:
        number, text, truth = self.number, self.text, self.truth
        compare = self.random.choice(["<", "<=", ">", ">=", "==", "!="])
        return self.pick(
            depth,
            lambda: self.random.choice(["true", "false"]),
            lambda d: f"({number(d)} {compare} {number(d)})",
            lambda d: f"({text(d)} {compare} {text(d)})",
            lambda d: f"({text(d)} {compare} {number(d)})",
            lambda d: f"({truth(d)} {compare} {number(d)})",
            lambda d: f"({truth(d)} && {truth(d)})",
            lambda d: f"({truth(d)} || {truth(d)})",
            lambda d: f"!{truth(d)}",
            lambda d: f"!{text(d)}",
            lambda d: f"!{number(d)}",
            lambda d: f"{text(d)}.startsWith({text(0)})",
            lambda d: f"{text(d)}.endsWith({text(0)}, {self.small()})",
            lambda d: f"(null {self.random.choice(['==', '!='])} {text(d)})",
            lambda d: f"isNaN({text(d)})",
        )

    def array(self, depth: int) -> str:
        number, array = self.number, self.array
        return self.pick(
            depth,
            lambda: f"[{self.number(0)}, {self.number(0)}, {self.number(0)}]",
            lambda d: f"[{number(d)}, {number(d)}]",
            lambda d: f"{array(d)}.map(x => x * {number(d)})",
            lambda d: f"{array(d)}.map((x, i) => x + i)",
            lambda d: f"{array(d)}.filter(x => x > {number(d)})",
            lambda d: f"{array(d)}.filter((x, i) => i % 2 == 0)",
            lambda d: f"{array(d)}.slice({self.small()}, {self.small()})",
            lambda d: f"{array(d)}.concat({array(d)}, {number(d)})",
            lambda d: f"{array(d)}.reverse()",
            lambda d: f"{array(d)}.sort((a, b) => a - b)",
            lambda d: f"[...{array(d)}, {number(d)}]",
            lambda d: f"{array(d)}.splice({self.small()}, {self.random.randint(0, 3)})",
        )


def of_node(texts: list[str]) -> list[dict[str, Any]]:
    assert NODE is not None
    done = subprocess.run(
        [NODE, "-e", _RUN], input=json.dumps(texts), capture_output=True, text=True, check=True
    )
    found: list[dict[str, Any]] = json.loads(done.stdout)
    return found


def agrees(value: Any, expected: Any) -> bool:
    """Numbers, also in strings, count as equal within the rounding of long decimals."""
    if isinstance(expected, dict):
        return isinstance(value, float) and str(value)[-3:] in (
            expected["special"][-3:].lower(),
            "inf",
        )
    if isinstance(value, list) and isinstance(expected, list):
        return len(value) == len(expected) and all(map(agrees, value, expected))
    if isinstance(value, bool) or isinstance(expected, bool):
        return value is expected
    if isinstance(value, int | Decimal | float) and isinstance(expected, int | float):
        return math.isclose(value, expected, rel_tol=1e-9, abs_tol=1e-9)
    return bool(value == expected)


@pytest.mark.skipif(NODE is None, reason="node is not installed")
def test_two_hundred_random_expressions_agree_with_node() -> None:
    generator = Generator(seed=7)
    texts = [generator.expression() for _ in range(200)]
    answers = of_node(texts)
    compared = 0
    for text, answer in zip(texts, answers, strict=True):
        if "value" in answer:
            compared += 1
            assert agrees(evaluate(text), answer["value"]), text
    assert compared >= 200
