"""Options that several commands share."""

from __future__ import annotations

import argparse
from collections.abc import Collection

MOST_SECONDS = 366 * 24 * 3600


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add the repeatable options `--param NAME=VALUE` and `--param-file FILE`."""
    parser.add_argument(
        "--param",
        dest="parameters",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=_name_and_value,
        help="value of a pipeline parameter; may be repeated",
    )
    parser.add_argument(
        "--param-file",
        dest="parameter_files",
        metavar="FILE",
        action="append",
        default=[],
        help="parameter values: a YAML or JSON map, or NAME=value lines (.env), in which names "
        "that the pipeline does not declare are ignored; --param takes precedence",
    )


def given_parameters(
    arguments: argparse.Namespace, declared: Collection[str] | None = None
) -> dict[str, str]:
    """The values of both options; `declared` are the parameters of the pipeline, if known.

    Raises ConfigurationError if a file cannot be read.
    """
    values: dict[str, str] = {}
    if arguments.parameter_files:
        from engine.cli.parameter_files import read_parameters  # few commands get a file

        for file in arguments.parameter_files:
            values |= read_parameters(file, declared)
    return {**values, **dict(arguments.parameters)}


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} must have the form NAME=VALUE")
    return name, value


def whole(text: str) -> int:
    """The value of an option that counts something, where 0 has a meaning of its own."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number")
    return int(text)


def seconds(text: str) -> float:
    """The value of an option that is a time."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= MOST_SECONDS:
        raise argparse.ArgumentTypeError(
            f"{text!r} must be a number of seconds greater than 0 and at most {MOST_SECONDS} "
            "(a year), such as 90"
        )
    return value


def positive(text: str) -> int:
    """The value of an option that counts something."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} must be a whole number of at least 1")
    return int(text)
