"""What bare names mean: parameters, libraries, facts of the run, constants."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any, NoReturn
from urllib.parse import quote_plus

from engine.expressions import functions
from engine.expressions.access import method_hint
from engine.expressions.failures import Failure
from engine.expressions.foreign_syntax import FUNCTION_HINTS, NAME_HINTS
from engine.expressions.functions import Declaration
from engine.expressions.scope import Context, Scope
from engine.expressions.suggestions import did_you_mean, nearest
from engine.expressions.values import INFINITY, NAN, to_text
from engine.hints import Hint, Replacement, fixes_of

_FIXED = {"undefined": None, "Null": None, "NaN": NAN, "Infinity": INFINITY}


class Names:
    """The names of one scope; `extra` are additional constants, as in a library.

    `declared` are parameters that will have a value later; hints may propose them.
    """

    def __init__(
        self, context: Context, extra: Mapping[str, Any], declared: Collection[str] = ()
    ) -> None:
        scope = context.scope
        self.context = context
        self.lenient = scope.lenient
        self.parameters = {name: _parameter(value) for name, value in scope.parameters.items()}
        self.declared = (*self.parameters, *declared)
        self.constants: dict[str, Any] = _Constants(
            {
                **_FIXED,
                "lib": scope.libraries
                if scope.libraries.__class__ is dict
                else dict(scope.libraries),
                "task": dict(scope.task),
                **{f"_{name}": value for name, value in self.parameters.items()},
                **extra,
            },
            {
                "pipe": lambda: {**scope.pipe, "args": self.parameters},
                "snap": lambda: _snap(scope),
            },
        )

    def unknown_parameter(self, name: str) -> NoReturn:
        near = nearest(name[1:], self.parameters)
        hint = f"did you mean `_{near[0]}`?" if near else "declare it under parameters"
        raise Failure(f"there is no parameter `{name}`", hint)

    def unknown(self, name: str, local: Collection[str]) -> tuple[str, str]:
        """Message and hint for an unknown name."""
        if name in functions.NAMESPACES:
            return f"`{name}` is not a value", f"write `{name}.name(...)`"
        field = f"write `${name}` for the field, or `'{name}'` for the string"
        fixes = [Replacement(f"${name}", name), Replacement(f"'{name}'", name)]
        if name in self.declared:
            hint = f"did you mean the parameter `_{name}`? {field}"
            return f"`{name}` is not known", Hint(hint, [Replacement(f"_{name}", name), *fixes])
        parameters = [f"_{parameter}" for parameter in self.declared]
        known = [
            *local,
            *parameters,
            *functions.GLOBALS.functions,
            *functions.NAMESPACES,
            "lib",
            "pipe",
            "snap",
            "task",
            "this",
        ]
        hint = NAME_HINTS.get(name, "")
        if not hint and (near := did_you_mean(name, [*known, "true", "false", "null"])):
            hint = Hint(f"{near} {field}", [*fixes_of(near), *fixes])
        return f"`{name}` is not known", hint or Hint(field, fixes)

    def is_unknown_function(self, name: str) -> bool:
        """Whether a called name is neither a function nor a variable, and has no other meaning."""
        is_reference = name.startswith("_") or name in ("this", "undefined")
        return not is_reference and name not in self.constants

    def function_hint(self, name: str) -> str:
        habit = FUNCTION_HINTS.get(name) or FUNCTION_HINTS.get(name.lower(), "")
        if habit or name in functions.NAMESPACES:
            return habit or f"write `{name}.name(...)`"
        if near := did_you_mean(name, [*functions.GLOBALS.functions, *functions.NAMESPACES]):
            return near
        if name in functions.METHODS:
            return f"it is a method; write {{x}}.{name}(...)"
        return method_hint(name) or f"call a library function as lib.name.{name}(...)"


class _Constants(dict[str, Any]):
    """Constants by name; the `late` ones are made when an expression uses them."""

    def __init__(self, known: dict[str, Any], late: Mapping[str, Callable[[], Any]]) -> None:
        super().__init__(known)
        self._late = late

    def __contains__(self, name: object) -> bool:
        return super().__contains__(name) or name in self._late

    def __missing__(self, name: str) -> Any:
        value = self[name] = self._late[name]()
        return value


def _parameter(value: Any) -> Any:
    """Parameters are strings, whatever the caller passed."""
    return value if value is None or isinstance(value, str) else to_text(value)


def _snap(scope: Scope) -> dict[str, Any]:
    facts = dict(scope.snap)
    if isinstance(facts.get("label"), str):
        facts["label"] = quote_plus(facts["label"], safe="*")
    return facts


def called_declared(declared: Declaration, context: Context) -> Callable[..., Any]:
    """The function as a value; it does not see the document."""
    given = {"context": context, "document": None}
    first = [given[name] for name in declared.handed_in]

    def call(*arguments: Any) -> Any:
        return declared.call(*first, *arguments)

    return call if first else declared.call
