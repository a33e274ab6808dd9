"""`engine validate`: check pipeline files and task files, and report every mistake."""

from __future__ import annotations

import argparse
import sys

from engine import api
from engine.errors import ConfigurationError


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("validate", help="check pipeline and task files, and run nothing")
    parser.add_argument("files", nargs="+", metavar="FILE", help="a pipeline or task file")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if no file has an error (warnings are fine), else 2."""
    wrong = 0
    for path in arguments.files:
        try:
            problems = api.check(path)
        except ConfigurationError as error:
            print(f"{path}: {error}", file=sys.stderr)
            wrong += 1
            continue
        for problem in problems:
            print(problem, file=sys.stderr)
        errors = sum(problem.severity == "error" for problem in problems)
        wrong += bool(errors)
        print(f"{path}: {_verdict(errors, len(problems) - errors)}")
    return 2 if wrong else 0


def _verdict(errors: int, warnings: int) -> str:
    counts = [(errors, "error"), (warnings, "warning")]
    words = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count]
    return ", ".join(words) or "ok"
