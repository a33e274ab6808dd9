"""Functions of a script that cannot be called as a snap calls them.

Only functions that are certain are judged: plain `def` statements of the module, whose names are
bound nowhere else.
"""

from __future__ import annotations

import ast
from collections.abc import Container, Iterator, Mapping
from inspect import CO_ASYNC_GENERATOR, CO_COROUTINE, CO_GENERATOR
from types import CodeType
from typing import NamedTuple

_ASYNC = CO_COROUTINE | CO_ASYNC_GENERATOR
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class UnfitFunction(NamedTuple):
    """What is wrong with the function that begins on a line (from 1), and what to do."""

    name: str
    line: int
    message: str
    hint: str


def unfit_functions(
    tree: ast.Module,
    compiled: CodeType,
    calls: Mapping[str, tuple[str, ...]],
    yields: Container[str] = (),
) -> Iterator[UnfitFunction]:
    """The functions that do not fit the calls: a name, and what the arguments are.

    Those in `yields` may be generators.
    """
    for name, arguments in calls.items():
        function = _function(name, tree)
        if function is None:
            continue
        flags = _flags(function, compiled)
        call = f"{name}({', '.join(arguments)})"
        message = hint = ""
        if flags & _ASYNC:
            message, hint = f"{name} is an async function, which nothing awaits", "remove 'async'"
        elif flags & CO_GENERATOR and name not in yields:
            message = f"{name} is a generator, and nothing takes what it yields"
            hint = "collect the documents in a list, and return it"
        elif not _takes(function.args, len(arguments)):
            message = f"{name} cannot be called as {call}"
            hint = f"write 'def {call}:'"
        if message:
            yield UnfitFunction(name, function.lineno, message, hint)


def _function(name: str, tree: ast.Module) -> _Function | None:
    """The function that the name denotes when the module has run; None if that is uncertain."""
    found: _Function | None = None
    for node in ast.walk(tree):
        if not _binds(node, name):
            continue
        if not isinstance(node, _Function) or node not in tree.body or node.decorator_list:
            return None
        found = node
    return found


def _binds(node: ast.AST, name: str) -> bool:
    if isinstance(node, ast.Name):
        return node.id == name and not isinstance(node.ctx, ast.Load)
    if isinstance(node, ast.alias):
        return name == (node.asname or node.name)
    if isinstance(node, ast.Global):
        return name in node.names
    return getattr(node, "name", None) == name  # functions, classes, exceptions, patterns


def _flags(function: _Function, compiled: CodeType) -> int:
    codes = (code for code in compiled.co_consts if isinstance(code, CodeType))
    place = function.name, function.lineno
    return next((c.co_flags for c in codes if (c.co_name, c.co_firstlineno) == place), 0)


def _takes(parameters: ast.arguments, count: int) -> bool:
    """Whether a call with so many arguments, all by position, is possible."""
    places = len(parameters.posonlyargs) + len(parameters.args)
    is_enough = count >= places - len(parameters.defaults) and None not in parameters.kw_defaults
    return is_enough and (count <= places or parameters.vararg is not None)
