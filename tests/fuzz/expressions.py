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
import sys
import time
from datetime import date
from datetime import time as time_of_day
from decimal import Decimal
from typing import Any

from engine.errors import ExpressionError
from engine.expressions import (
    Function,
    analyse,
    compile_expression,
    evaluate,
    exact_decimals,
    parse_path,
)
from tests.fuzz.random_expressions import DOCUMENT, Fuzzer

SECONDS = 6.0


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
    with exact_decimals():  # as snaps evaluate it
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
