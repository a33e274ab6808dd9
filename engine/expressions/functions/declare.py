"""How a function is declared: once, with name, help and examples.

The examples are run as tests and shown on the reference page. The number of arguments, their kinds
and the kind of the result are read from the Python signature, so that nothing is stated twice.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any, Literal, TypeVar

import msgspec

from engine.expressions.kinds import SAME, Kind, kind_of_annotation

Call = TypeVar("Call", bound=Callable[..., Any])
_HANDED_IN = ("context", "document")


class Example(msgspec.Struct, frozen=True):
    """`text`, evaluated on the document `given`, returns `result` (as JSON)."""

    text: str
    result: Any
    given: Any = None


class Declaration(msgspec.Struct, frozen=True):
    """One function or method. `fewest` and `most` (None: any) count the user's arguments.

    `kinds` are those of the parameters: what an argument is converted to, or must be. `result` is
    the kind that it returns whatever its arguments are.
    """

    name: str
    call: Callable[..., Any]
    help: str
    examples: tuple[Example, ...]
    parameters: tuple[str, ...]
    fewest: int
    most: int | None
    mutates: bool = False
    handed_in: tuple[str, ...] = ()
    kinds: tuple[Kind, ...] = ()
    result: Kind | Literal["same"] = "any"

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
    signature = inspect.signature(call)
    given = list(signature.parameters.values())[skip:]
    handed_in = tuple(p.name for p in given if p.name in _HANDED_IN)
    given = [p for p in given if p.name not in _HANDED_IN]
    fewest = sum(p.default is p.empty and p.kind is not p.VAR_POSITIONAL for p in given)
    most = None if any(p.kind is p.VAR_POSITIONAL for p in given) else len(given)
    return Declaration(
        name=name,
        call=call,
        help=summary,
        examples=examples,
        parameters=tuple(_shown(p) for p in given),
        fewest=fewest,
        most=most,
        mutates=mutates,
        handed_in=handed_in,
        kinds=tuple(kind_of_annotation(p.annotation) for p in given),
        result=_result_of(signature.return_annotation),
    )


def _result_of(annotation: object) -> Kind | Literal["same"]:
    return SAME if annotation == "Same" else kind_of_annotation(annotation)


def _shown(parameter: inspect.Parameter) -> str:
    name = re.sub(r"_(\w)", lambda found: found[1].upper(), parameter.name.strip("_"))
    if parameter.kind is parameter.VAR_POSITIONAL:
        return f"...{name}"
    return name if parameter.default is parameter.empty else f"[{name}]"
