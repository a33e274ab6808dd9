"""The families of functions, and the tables through which they are called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from engine.expressions.callables import call_value
from engine.expressions.functions.arrays import ARRAYS, BINARIES
from engine.expressions.functions.data import BASE64, CRYPTO, DIGEST, GZIP, HTML, ICONV, JSON
from engine.expressions.functions.date_fields import (
    DATES,
    LOCAL_DATE_TIMES,
    LOCAL_DATES,
    LOCAL_TIMES,
)
from engine.expressions.functions.declare import Declaration, Family
from engine.expressions.functions.global_ import GLOBALS
from engine.expressions.functions.math_ import MATH
from engine.expressions.functions.numbers import BOOLEANS, NUMBERS
from engine.expressions.functions.objects import OBJECTS
from engine.expressions.functions.sl import SL
from engine.expressions.functions.words import TEXTS
from engine.expressions.values import Function

__all__ = ["DISPATCH", "FAMILIES", "GLOBALS", "METHODS", "NAMESPACES"]

FAMILIES: tuple[Family, ...] = (
    GLOBALS,
    TEXTS,
    NUMBERS,
    BOOLEANS,
    MATH,
    ARRAYS,
    OBJECTS,
    DATES,
    LOCAL_DATES,
    LOCAL_DATE_TIMES,
    LOCAL_TIMES,
    JSON,
    BASE64,
    DIGEST,
    GZIP,
    BINARIES,
    ICONV,
    HTML,
    SL,
    CRYPTO,
)
NAMESPACES: dict[str, Family] = {
    family.namespace: family for family in FAMILIES if family.namespace
}
NAMESPACES["html"] = HTML


def _methods() -> dict[str, dict[type, Declaration]]:
    table: dict[str, dict[type, Declaration]] = {}
    for family in FAMILIES:
        for name, declaration in family.methods.items():
            table.setdefault(name, {}).update(dict.fromkeys(family.receivers, declaration))
    return table


METHODS: dict[str, dict[type, Declaration]] = _methods()


def _own_or_declared(name: str, declared: Callable[..., Any]) -> Callable[..., Any]:
    """A function stored in an object takes precedence over a method of the same name."""

    def dispatch(target: dict[str, Any], *arguments: Any) -> Any:
        own = target.get(name)
        if own.__class__ is Function:
            return call_value(own, *arguments)
        return declared(target, *arguments)

    return dispatch


def _dispatch(name: str, methods: dict[type, Declaration]) -> dict[type, Callable[..., Any]]:
    calls: dict[type, Callable[..., Any]] = {cls: method.call for cls, method in methods.items()}
    if dict in calls:
        calls[dict] = _own_or_declared(name, calls[dict])
    return calls


DISPATCH: dict[str, dict[type, Callable[..., Any]]] = {
    name: _dispatch(name, methods) for name, methods in METHODS.items()
}
