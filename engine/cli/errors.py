"""Runs a command, and prints the error that ends it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from engine.cli.problems import print_problems
from engine.cli.wrapping import fitted, width_of
from engine.errors import ConfigurationError, EngineError, InvalidPipelineError
from engine.visible import visible


def run_command(run: Callable[[argparse.Namespace], int], options: argparse.Namespace) -> int:
    """Its exit code, or that of the error."""
    try:
        return run(options)
    except InvalidPipelineError as error:
        print_problems(error.problems, sys.stderr)
        return 2
    except ConfigurationError as error:
        _print(error)
        return 2
    except EngineError as error:
        _print(error)
        return 1


def _print(error: EngineError) -> None:
    print(fitted(visible(f"engine: {error}"), width_of(sys.stderr)), file=sys.stderr)
