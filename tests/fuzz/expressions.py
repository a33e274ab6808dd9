"""Random expressions and random bytes: whatever the input, only an ExpressionError may be raised.

`python -m tests.fuzz.expressions --inputs 100000 [--seed N]` runs for a few minutes and prints what
went wrong; the tests run a short round of the same. An input fails if anything but an
ExpressionError comes out, if the careful code had to be saved by the net for Python's own errors,
if the value is of a type that documents cannot hold, if fast and careful code disagree, or if it
takes too long.
"""

from __future__ import annotations

import argparse
import copy
import math
import random
import sys
import time
from collections.abc import Callable
from datetime import date
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any

from engine.errors import ExpressionError
from engine.expressions import Function, analyse, compile_expression, evaluate, parse_path
from engine.expressions.functions import GLOBALS, METHODS, NAMESPACES, Declaration

DOCUMENT: dict[str, Any] = {
    "name": "Ann",
    "amount": 300,
    "price": Decimal("19.990"),
    "rate": 0.07,
    "huge": Decimal("-1.5E+9000"),
    "long": Decimal("123456789012345678901234567890.123456789"),
    "flag": True,
    "nothing": None,
    "tags": ["new", "web", 3, None],
    "items": [{"price": 5, "name": "a"}, {"price": 20, "name": "b"}],
    "nested": {"a": {"b": [1, [2]]}, "x y": 1},
    "when": "2020-01-15T10:30:45.678Z",
    "empty": "",
    "emoji": "a😀b",
}
SECONDS = 6.0
_ATOMS = [
    "$",
    "$name",
    "$amount",
    "$price",
    "$rate",
    "$huge",
    "$long",
    "$flag",
    "$nothing",
    "$tags",
    "$items",
    "$nested",
    "$when",
    "$empty",
    "$emoji",
    "$absent",
    "$nested.a.b",
    "$items[0].price",
    "$['nested']['a']",
    "_p",
    "pipe",
    "snap",
    "0",
    "1",
    "-1",
    "2.5",
    "2.50",
    "0.00",
    "1e-9000",
    "1e3",
    "1e21",
    "1e308",
    "123456789012345678901",
    "0.1",
    "'a'",
    "''",
    "'x,y'",
    '"q"',
    "'12'",
    "'2020-01-15'",
    "'yyyy-MM-dd'",
    "'\\u0041'",
    "true",
    "false",
    "null",
    "[]",
    "{}",
    "Math.PI",
    "Date.parse($when)",
    "undefined",
    "NaN",
    "Infinity",
]
_STRANGE = [
    "_absent",
    "lib",
    "this",
    "__root__",
    "__parent__",
    "Null",
    "value",
    "@",
    "x",
    "y",
    "/a+/g",
    "Math",
    "Date.now()",
]
_ARGUMENTS = ["/a+/g", "/(b)|c/", "/[,;]|\\s/", "'yyyy-MM-dd'", "{format:'HH:mm'}", "'a'", "1"]
_BINARY = ["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||", "in"]
_NOISE = [
    "===",
    ";",
    "`",
    "?.",
    "??",
    "++",
    "new",
    ".",
    "..",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    "=>",
    ":",
    "?",
    "\\",
    "'",
    '"',
    "/*",
    "//",
    "\u2028",
    "\x00",
    "é",
    "😀",
    "@",
    "#",
    "&",
    "|",
    "^",
    "~",
]
_METHODS = list(METHODS)
_STATIC: list[tuple[str, Declaration]] = [
    (f"{family}.{name}", declared)
    for family, one in NAMESPACES.items()
    for name, declared in one.functions.items()
    if name not in ("gethostbyname", "random", "uuid", "now")
] + list(GLOBALS.functions.items())
_TYPES = [
    "Null",
    "Boolean",
    "String",
    "Number",
    "Object",
    "Array",
    "Date",
    "LocalDate",
    "DateTime",
    "LocalDateTime",
]


class Fuzzer:
    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.variables: list[str] = []

    def text(self) -> str:
        """An expression, a broken expression, or noise."""
        kind = self.random.random()
        if kind < 0.75:
            return self.expression(4)
        if kind < 0.9:
            return self.broken(self.expression(3))
        return self.noise()

    def expression(self, depth: int) -> str:
        if depth <= 0 or self.random.random() < 0.12:
            return self.atom()
        return self.random.choice(self.branches)(self, depth - 1)

    def atom(self) -> str:
        if self.random.random() < 0.02:
            return self.random.choice(_STRANGE)
        if self.variables and self.random.random() < 0.4:
            return self.random.choice(self.variables)
        return self.random.choice(_ATOMS)

    def several(self, depth: int, most: int = 3) -> str:
        count = self.random.randint(0, most)
        spread = ["..." if self.random.random() < 0.1 else "" for _ in range(count)]
        return ", ".join(mark + self.argument(depth) for mark in spread)

    def argument(self, depth: int) -> str:
        if self.random.random() < 0.3:
            return self.random.choice(_ARGUMENTS)
        return self.arrow(depth) if self.random.random() < 0.2 else self.expression(depth)

    def binary(self, depth: int) -> str:
        operator = self.random.choice(_BINARY)
        return f"{self.expression(depth)} {operator} {self.expression(depth)}"

    def unary(self, depth: int) -> str:
        return f"{self.random.choice(['!', '-', '+', 'typeof '])}({self.expression(depth)})"

    def conditional(self, depth: int) -> str:
        parts = (self.expression(depth) for _ in range(3))
        return "({} ? {} : {})".format(*parts)

    def method(self, depth: int) -> str:
        name = self.random.choice(_METHODS)
        declared = self.random.choice(list(METHODS[name].values()))
        return f"({self.expression(depth)}).{name}({self.arguments(declared, depth)})"

    def arguments(self, declared: Declaration, depth: int) -> str:
        """Mostly as many arguments as the function takes."""
        if self.random.random() < 0.1:
            return self.several(depth)
        most = declared.fewest + 2 if declared.most is None else declared.most
        count = self.random.randint(declared.fewest, most)
        return ", ".join(self.argument(depth) for _ in range(count))

    def loop(self, depth: int) -> str:
        name = self.random.choice(["map", "filter", "find", "sort", "reduce", "mapValues"])
        return f"({self.expression(depth)}).{name}({self.arrow(depth)})"

    def arrow(self, depth: int) -> str:
        names = self.random.choice(["x", "x", "(x)", "(x, y)", "()", "(x, y = 1)", "(x, ...y)"])
        before = self.variables
        self.variables = [*before, *(name for name in "xy" if name in names)]
        body = self.expression(depth)
        self.variables = before
        return f"{names} => ({body})"

    def call(self, depth: int) -> str:
        if self.random.random() < 0.15:
            return f"({self.arrow(depth)})({self.several(depth)})"
        name, declared = self.random.choice(_STATIC)
        return f"{name}({self.arguments(declared, depth)})"

    def access(self, depth: int) -> str:
        if self.random.random() < 0.5:
            return f"({self.expression(depth)})[{self.expression(depth)}]"
        name = self.random.choice(["length", "a", "price", "__class__", "in"])
        return f"({self.expression(depth)}).{name}"

    def literal(self, depth: int) -> str:
        if self.random.random() < 0.5:
            return (
                f"[{', '.join(self.expression(depth) for _ in range(self.random.randint(0, 3)))}]"
            )
        keys = self.random.sample(["a", "'b c'", "1", f"[{self.expression(0)}]", "c"], k=2)
        entries = [f"{key}: {self.expression(depth)}" for key in keys]
        if self.random.random() < 0.2:
            entries.append(f"...{self.expression(depth)}")
        return "{" + ", ".join(entries) + "}"

    def match(self, depth: int) -> str:
        guard = self.random.choice(["", "", " if $flag"])
        arms = [f"{self.pattern(2)}{guard} => {self.expression(depth)}" for _ in range(3)]
        return f"(match {self.expression(depth)} {{ {', '.join(arms)} }})"

    def pattern(self, depth: int) -> str:
        plain = ["_", "x", "1", "-1", "'a'", "1..=5", "0..<1", "null", "true", "/a/", "String"]
        if depth <= 0 or self.random.random() < 0.5:
            return self.random.choice(plain)
        inner, other = self.pattern(depth - 1), self.pattern(depth - 1)
        shapes = ["[{}, {}]", "[{}, ...y]", "{{a: {}, x}}", "{} | {}"]
        return self.random.choice(shapes).format(inner, other)

    def instance(self, depth: int) -> str:
        return f"({self.expression(depth)}) instanceof {self.random.choice(_TYPES)}"

    def path(self, depth: int) -> str:
        return f"jsonPath($, {self.path_text(depth)!r})"

    def path_text(self, depth: int) -> str:
        steps = [
            ".a",
            ".items",
            "[*]",
            "[0]",
            "[-1]",
            "[::2]",
            "..price",
            "..*",
            "['x y']",
            "[0,1]",
            "[?(value.price > 6)]",
            "[(value.length)]",
            ".length()",
            ".first()",
            ".map(value)",
            ".sort_asc(value.price)",
            f".eval({self.expression(depth)})",
        ]
        return "$" + "".join(self.random.choices(steps, k=self.random.randint(0, 4)))

    branches: tuple[Callable[[Fuzzer, int], str], ...] = (
        binary,
        binary,
        unary,
        conditional,
        method,
        method,
        method,
        loop,
        loop,
        call,
        call,
        access,
        literal,
        match,
        instance,
        path,
    )

    def broken(self, text: str) -> str:
        """`text` with a piece removed, doubled or inserted."""
        for _ in range(self.random.randint(1, 3)):
            at = self.random.randint(0, len(text))
            piece = self.random.choice(["", self.random.choice(_NOISE), text[at : at + 5]])
            text = text[:at] + piece + text[at + self.random.randint(0, 3) :]
        return text

    def noise(self) -> str:
        if self.random.random() < 0.5:
            return "".join(self.random.choices(_ATOMS + _NOISE + _BINARY, k=8))
        raw = bytes(self.random.randrange(256) for _ in range(self.random.randint(0, 40)))
        return raw.decode("utf-8", "surrogateescape")


def problem_with(text: str, null_safe: bool) -> str:
    """What is wrong with how the language treats `text`, or ''."""
    start = time.process_time()
    try:
        problem = _run(text, null_safe)
    except ExpressionError as error:
        problem = f"saved by the net: {error.message}" if "has no value (" in error.message else ""
    except BaseException as error:  # noqa: BLE001 - whatever it is, it is what we look for
        problem = f"{type(error).__name__}: {error}"
    seconds = time.process_time() - start
    return problem or (f"took {seconds:.1f} CPU s" if seconds > SECONDS else "")


def _run(text: str, null_safe: bool) -> str:
    analyse(text)
    function = compile_expression(text, null_safe=null_safe)
    value = function(copy.deepcopy(DOCUMENT))
    if wrong := _foreign(value, 0):
        return f"gives a {wrong}"
    if function.mutates or any(word in text for word in ("now", "random", "uuid")):
        return ""
    careful = _careful_value(text, null_safe)
    return "" if alike(value, careful, 0) else f"fast {value!r:.200} but careful {careful!r:.200}"


def _careful_value(text: str, null_safe: bool) -> Any:
    """The value by the careful code: a function of unknown effect keeps the fast code away."""
    marked = f"[({text}\n), eval(0)][0]"
    return evaluate(marked, copy.deepcopy(DOCUMENT), null_safe=null_safe)


_PLAIN = (str, int, Decimal, float, bytes, Function)


def _foreign(value: Any, depth: int) -> str:
    if depth > 20 or value is None or isinstance(value, _PLAIN):
        return ""
    if isinstance(value, dict):
        if not all(type(key) is str for key in value):
            return "dict with keys that are no texts"
        return next(filter(None, (_foreign(item, depth + 1) for item in value.values())), "")
    if isinstance(value, list):
        return next(filter(None, (_foreign(item, depth + 1) for item in value)), "")
    return "" if isinstance(value, date | time_of_day) else type(value).__name__


def alike(value: Any, other: Any, depth: int = 0) -> bool:
    """Whether two values are the same to the last zero, with functions all alike."""
    if depth > 20 or isinstance(value, Function):
        return True
    if isinstance(value, float) and isinstance(other, float):
        return value == other or (math.isnan(value) and math.isnan(other))
    if type(value) is not type(other):
        return False
    if isinstance(value, Decimal):
        return str(value) == str(other)
    if isinstance(value, dict):
        return list(value) == list(other) and all(
            alike(value[key], other[key], depth + 1) for key in value
        )
    if isinstance(value, list):
        return len(value) == len(other) and all(
            alike(a, b, depth + 1) for a, b in zip(value, other, strict=True)
        )
    return bool(value == other)


def path_problem(text: str) -> str:
    """What is wrong with how paths treat `text`, or ''."""
    document = copy.deepcopy(DOCUMENT)
    try:
        path = parse_path(text)
        path.query(document)
        path.set(document, {"price": [1], "a": {"a": 2}})
        if document != DOCUMENT:
            return "a write changed the document"
        path.delete(document)
    except ExpressionError as error:
        return f"saved by the net: {error.message}" if "has no value (" in error.message else ""
    except BaseException as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"
    return "" if document == DOCUMENT else "a deletion changed the document"


def run(inputs: int, seed: int) -> list[tuple[str, str]]:
    """(input, problem) of every failure."""
    fuzzer = Fuzzer(seed)
    failed: list[tuple[str, str]] = []
    for number in range(inputs):
        if number % 10 == 9:
            text = fuzzer.path_text(2)
            text = text if number % 20 == 9 else fuzzer.broken(text)
            problem = path_problem(text)
        else:
            text = fuzzer.text()
            problem = problem_with(text, null_safe=number % 3 == 0)
        if problem:
            failed.append((text, problem))
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description="Fuzz the expression language.")
    parser.add_argument("--inputs", type=int, default=100_000)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    given = parser.parse_args()
    failed = run(given.inputs, given.seed)
    for text, problem in failed[:50]:
        print(f"{text!r}\n    {problem}")  # noqa: T201
    print(f"{given.inputs:,} inputs (seed {given.seed}), {len(failed)} failed")  # noqa: T201
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
