"""Random texts of expressions, valid and broken, for a document that has a bit of everything."""

from __future__ import annotations

import random
from collections.abc import Callable
from decimal import Decimal
from typing import Any

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
