"""How a function is declared: once, with name, help and examples.

The examples are run as tests and shown on the reference page. The number of arguments is read
from the Python signature, so that nothing is stated twice.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, TypeVar

import msgspec

Call = TypeVar("Call", bound=Callable[..., Any])
_HANDED_IN = ("context", "document")


class Example(msgspec.Struct, frozen=True):
    """`text`, evaluated on the document `given`, returns `result` (as JSON)."""

    text: str
    result: Any
    given: Any = None


class Declaration(msgspec.Struct, frozen=True):
    """One function or method. `fewest` and `most` (None: any) count the user's arguments."""

    name: str
    call: Callable[..., Any]
    help: str
    examples: tuple[Example, ...]
    parameters: tuple[str, ...]
    fewest: int
    most: int | None
    mutates: bool = False
    handed_in: tuple[str, ...] = ()

    @property
    def signature(self) -> str:
        return f"{self.name}({', '.join(self.parameters)})"

    def accepts(self, count: int) -> bool:
        return self.fewest <= count and (self.most is None or count <= self.most)

    def arguments_text(self) -> str:
        """`1 argument`, `1 to 2 arguments`, `at least 1 argument`."""
        if self.most is None:
            return f"at least {self.fewest} argument{'s' * (self.fewest != 1)}"
        if self.fewest == self.most:
            return f"{self.most or 'no'} argument{'s' * (self.most != 1)}"
        return f"{self.fewest} to {self.most} arguments"


class Family(msgspec.Struct, frozen=True):
    """Functions that belong together: of a namespace (`Math`), of some types, or global."""

    title: str
    help: str
    receivers: tuple[type, ...] = ()
    namespace: str = ""
    functions: dict[str, Declaration] = msgspec.field(default_factory=dict)
    methods: dict[str, Declaration] = msgspec.field(default_factory=dict)
    constants: dict[str, Any] = msgspec.field(default_factory=dict)

    def function(self, name: str, summary: str, *examples: Example) -> Callable[[Call], Call]:
        """Declares a function of the namespace, or a global one."""

        def declared(call: Call) -> Call:
            self.functions[name] = _declaration(name, call, summary, examples, False)
            return call

        return declared

    def method(
        self, name: str, summary: str, *examples: Example, mutates: bool = False
    ) -> Callable[[Call], Call]:
        """Declares a method of the receiver types; the receiver is the first parameter."""

        def declared(call: Call) -> Call:
            self.methods[name] = _declaration(name, call, summary, examples, mutates, skip=1)
            return call

        return declared


def _declaration(
    name: str,
    call: Callable[..., Any],
    summary: str,
    examples: tuple[Example, ...],
    mutates: bool,
    skip: int = 0,
) -> Declaration:
    given = list(inspect.signature(call).parameters.values())[skip:]
    handed_in = tuple(p.name for p in given if p.name in _HANDED_IN)
    given = [p for p in given if p.name not in _HANDED_IN]
    fewest = sum(p.default is p.empty and p.kind is not p.VAR_POSITIONAL for p in given)
    most = None if any(p.kind is p.VAR_POSITIONAL for p in given) else len(given)
    shown = tuple(_shown(p) for p in given)
    return Declaration(name, call, summary, examples, shown, fewest, most, mutates, handed_in)


def _shown(parameter: inspect.Parameter) -> str:
    name = re.sub(r"_(\w)", lambda found: found[1].upper(), parameter.name.strip("_"))
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"...{name}"
    return name if parameter.default is parameter.empty else f"[{name}]"
