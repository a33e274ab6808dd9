"""How much one evaluation may do, so that no expression eats the memory or runs for hours.

Everything that can grow without bound - loops over lists, ranges, repeated strings, calls - asks
here first. A meter counts steps from the outermost evaluation on; it belongs to the thread.
"""

from __future__ import annotations

import threading
from typing import Any

from engine.expressions.failures import Failure
from engine.numbers import MAX_DIGITS

MAX_NESTING = 150
MAX_NODE_DEPTH = 400
MAX_CHAIN = 300
MAX_SOURCE = 1_000_000
MAX_TEXT = 32_000_000
MAX_ELEMENTS = 1_000_000
MAX_BITS = 14_284
_TOO_LONG = 10**MAX_DIGITS
MAX_CALLS = 100
MAX_STEPS = 20_000_000
REGEX_SECONDS = 1.0
CALL_STEPS = 10
WALK_STEPS = 8


class Meter(threading.local):
    """The steps left in this evaluation, and its call depth."""

    left = MAX_STEPS
    calls = 0


METER = Meter()


def restart(steps: int = MAX_STEPS) -> None:
    """Reset the steps for an outermost evaluation; one inside a call shares the caller's."""
    if METER.calls == 0:
        METER.left = steps


def charge(steps: int) -> None:
    METER.left -= steps
    if METER.left < 0:
        raise Failure(
            "the evaluation takes too many steps",
            f"one evaluation may take {MAX_STEPS:,} steps; work on smaller lists or strings",
        )


class _CallDepth:
    """Counts a call: it costs steps, and calls may not be nested too deeply."""

    __slots__ = ()

    def __enter__(self) -> None:
        charge(CALL_STEPS)
        if METER.calls >= MAX_CALLS:
            hint = "is there a recursion without an end?"
            raise Failure("the calls are nested too deeply", hint)
        METER.calls += 1

    def __exit__(self, *error: object) -> None:
        METER.calls -= 1


CALL_DEPTH = _CallDepth()


def check_text(length: float) -> None:
    """Refuse a string of `length` characters before it is made."""
    if length > MAX_TEXT:
        raise Failure(f"the string would be too long (limit {MAX_TEXT:,} characters)")
    charge(int(length) // 16)


def check_elements(count: float) -> None:
    """Refuse an array of `count` elements before it is made."""
    if count > MAX_ELEMENTS:
        raise Failure(f"the array would be too long (limit {MAX_ELEMENTS:,} elements)")
    charge(int(count) // 4)


def bounded(value: Any) -> Any:
    """`value`, unless it is too large, counting shared parts each time they occur."""
    if value.__class__ is not list and value.__class__ is not dict:
        return value
    pending = [value]
    while pending:
        container = pending.pop()
        charge(WALK_STEPS)
        inner = container.values() if container.__class__ is dict else container
        if inner.__class__ is list or container.__class__ is dict:
            charge(len(inner))
            pending += (x for x in inner if x.__class__ is list or x.__class__ is dict)
    return value


def check_integer(value: int) -> int:
    if value.bit_length() > MAX_BITS and abs(value) >= _TOO_LONG:
        raise Failure(f"the number would be too long (limit {MAX_DIGITS:,} digits)")
    return value
