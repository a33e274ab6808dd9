"""Conditions of snaps that choose documents: they are true or false, and nothing else."""

from __future__ import annotations

from typing import Any, NoReturn

from engine.sdk import ExecutionError, excerpt


def refuse_other_than_boolean(what: str, value: Any) -> NoReturn:
    """Raise the error for a condition with another value, which fails the pipeline."""
    raise ExecutionError(
        f"{what} must return true or false, but returned {excerpt(value)}; "
        "compare it with a value, for example with == or !="
    )
