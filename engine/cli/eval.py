"""`engine eval`: evaluate one expression, or open a prompt to try expressions."""

from __future__ import annotations

import argparse
import functools
import math
import re
import sys
from pathlib import Path
from typing import Any

import msgspec

from engine import api
from engine.cli.options import add_parameters, given_parameters
from engine.errors import (
    ConfigurationError,
    EvaluationError,
    ExpressionError,
    ExpressionSyntaxError,
)
from engine.expressions import analyse, check_timezone, to_json
from engine.expressions.nodes import Root
from engine.sdk.json_errors import JsonSyntaxError
from engine.sdk.json_input import decoded_value
from engine.visible import visible, visible_json

_LEADING_MINUS = re.compile(r"-[^-]")
_OPTION_HINTS = {
    "there is no parameter": "pass it with --param {name}=...",
    "there is no library": "pass it with --library {name}=FILE",
}
_SHELL_HINT = "the shell replaces $name in double quotes; put the expression in single quotes"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser._negative_number_matcher = _LEADING_MINUS  # `-$a` is an expression as `-1` is a number
    parser.add_argument("expression", nargs="?", metavar="EXPRESSION")
    parser.add_argument("--doc", metavar="JSON|FILE", help="the document, `$` (default: null)")
    add_parameters(parser)
    parser.add_argument("--null-safe", action="store_true", help="treat missing fields as null")
    parser.add_argument(
        "--library",
        dest="libraries",
        metavar="[NAME=]FILE",
        action="append",
        default=[],
        help="an expression library (.expr), available as lib.NAME; may be repeated",
    )
    parser.add_argument("--timezone", default="UTC", help="time zone of dates (default: UTC)")


def run(arguments: argparse.Namespace) -> int:
    """0 for a value, 1 if evaluation fails, 2 for an invalid expression or command line."""
    check_timezone(arguments.timezone)
    document = read_document(arguments.doc)
    evaluate = functools.partial(
        api.evaluate,
        parameters=given_parameters(arguments),
        null_safe=arguments.null_safe,
        libraries=[read_library(given) for given in arguments.libraries],
        timezone=arguments.timezone,
        exact=True,
    )
    if arguments.expression is not None:
        without_document = "pass one with --doc JSON or --doc FILE" if arguments.doc is None else ""
        return show(lambda: evaluate(arguments.expression, document), without_document)
    from engine.cli.repl import Repl  # only the prompt needs readline

    return Repl(evaluate, document).run()


def show(evaluate: Any, without_document: str = "") -> int:
    """Print the value as JSON, or the error.

    `without_document` says how to give a document; it is empty if there is one.
    """
    try:
        text = value_text(evaluate())
    except ExpressionError as error:
        print(visible(str(_with_hint(error, without_document))), file=sys.stderr)
        return 2 if isinstance(error, ExpressionSyntaxError) else 1
    print(visible_json(text) if sys.stdout.isatty() else text)
    return 0


def _with_hint(error: ExpressionError, without_document: str) -> ExpressionError:
    """The error with a hint that says how to supply what is missing."""
    message, hint = error.message, ""
    place = error.text[error.offset : error.offset + error.length]
    if without_document and isinstance(error, EvaluationError) and _reads_the_document(place):
        message, hint = f"`{place}` cannot be read: there is no document", without_document
    elif isinstance(error, ExpressionSyntaxError) and error.text.strip()[:1] in ("", "."):
        hint = _SHELL_HINT
    elif not error.hint.startswith("did you mean"):
        what, _, name = message.partition(" `")
        hint = _OPTION_HINTS.get(what, "").format(name=name.rstrip("`").removeprefix("_"))
    return type(error)(message, error.text, error.offset, error.length, hint) if hint else error


def _reads_the_document(expression: str) -> bool:
    node = analyse(expression).node
    return node is not None and any(isinstance(each, Root) for each in node.walk())


def value_text(value: Any) -> str:
    """JSON, indented on a terminal; NaN and Infinity by name."""
    if isinstance(value, float) and not math.isfinite(value):
        return {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    text = to_json(value)
    return (msgspec.json.format(text, indent=2) if sys.stdout.isatty() else text).decode()


def read_document(given: str | None) -> Any:
    """A document given as JSON text or as a file (`-`: standard input)."""
    if given is None:
        return None
    text, what = given, "the JSON"
    try:
        if given == "-":
            text, what = sys.stdin.read(), "standard input"
        elif (path := Path(given)).is_file():
            text, what = path.read_text(encoding="utf-8-sig"), repr(given)
    except (OSError, ValueError) as error:
        if not _looks_like_json(given):
            raise ConfigurationError(f"--doc: cannot read {given!r}: {error}") from None
    data = text.encode(errors="surrogatepass")
    try:
        return decoded_value(data, lenient=True)
    except JsonSyntaxError as error:
        reason = error.placed(data)
        if text is given and not _looks_like_json(given):
            message = f"--doc: {given!r} is neither an existing file nor JSON"
            raise ConfigurationError(message) from None
        raise ConfigurationError(f"--doc: cannot read {what}: {reason}") from None


def _looks_like_json(text: str) -> bool:
    return text.lstrip().startswith(("{", "[", '"'))


def read_library(given: str) -> tuple[str, str]:
    """Name and text of a library; by default it is named after its file."""
    name, equals, file = given.partition("=")
    path = Path(file if equals else given)
    try:
        return (name if equals else path.stem), path.read_text(encoding="utf-8")
    except (OSError, ValueError) as error:
        raise ConfigurationError(f"cannot read the library {str(path)!r}: {error}") from None
