"""Names that Python itself has removed since."""

from __future__ import annotations

import collections
import collections.abc
import inspect
import warnings
from typing import Any, NamedTuple


class ArgSpec(NamedTuple):
    """The result of `inspect.getargspec` (removed in Python 3.11)."""

    args: list[str]
    varargs: str | None
    keywords: str | None
    defaults: tuple[Any, ...] | None


def mend() -> None:
    """Add them, and silence the warnings of a compiler that is newer than the code."""
    for name in collections.abc.__all__:
        if not hasattr(collections, name):
            setattr(collections, name, getattr(collections.abc, name))
    for name, function in (("getargspec", _getargspec), ("formatargspec", _formatargspec)):
        if not hasattr(inspect, name):
            setattr(inspect, name, function)
    warnings.filterwarnings("ignore", category=SyntaxWarning)


def _getargspec(function: Any) -> ArgSpec:
    full = inspect.getfullargspec(function)
    return ArgSpec(full.args, full.varargs, full.varkw, full.defaults)


def _formatargspec(
    args: list[str],
    varargs: str | None = None,
    varkw: str | None = None,
    defaults: tuple[Any, ...] | None = None,
    *_: Any,
) -> str:
    """A signature as text, without annotations, which scripts of that time do not have."""
    given = defaults or ()
    plain = len(args) - len(given)
    shown = args[:plain] + [
        f"{name}={value!r}" for name, value in zip(args[plain:], given, strict=True)
    ]
    shown += [f"*{varargs}"] * (varargs is not None) + [f"**{varkw}"] * (varkw is not None)
    return f"({', '.join(shown)})"
