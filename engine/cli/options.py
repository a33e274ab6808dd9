"""Options that several commands share."""

from __future__ import annotations

import argparse


def add_parameters(parser: argparse.ArgumentParser) -> None:
    """Add the repeatable option `--param NAME=VALUE`."""
    parser.add_argument(
        "--param",
        dest="parameters",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        type=_name_and_value,
        help="value of a pipeline parameter; may be repeated",
    )


def _name_and_value(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not name or not equals:
        raise argparse.ArgumentTypeError(f"{text!r} must have the form NAME=VALUE")
    return name, value
