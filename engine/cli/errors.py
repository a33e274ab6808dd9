"""Runs a command, and prints the error that ends it."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable

from engine.cli.problems import print_problems
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
        print(visible(f"engine: {error}"), file=sys.stderr)
        return 2
    except EngineError as error:
        print(visible(f"engine: {error}"), file=sys.stderr)
        return 1
