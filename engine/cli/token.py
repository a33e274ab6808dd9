"""`engine token`: make a bearer token for the callers of a task."""

from __future__ import annotations

import argparse
import sys

from engine.errors import ConfigurationError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("new",), metavar="new", help="make a token")
    parser.add_argument(
        "--name", required=True, help="who gets it: shown in logs, letters and ._@-"
    )
    parser.add_argument(
        "--expires",
        metavar="DATE",
        help="when it stops working, such as 2027-01-31 (default: never)",
    )


def run(arguments: argparse.Namespace) -> int:
    """0. The token goes to standard output, so that a script can keep it; the rest does not."""
    from engine.tasks.definition.token_hash import (
        digest_of,
        new_token,
        parse_expiry,
        parse_name,
        written_hash,
    )

    try:
        name = parse_name(arguments.name)
    except ValueError as error:
        raise ConfigurationError(f"--name: {error}") from None
    entry = f"name: '{name}'"
    token = new_token()
    entry += f", hash: '{written_hash(digest_of(token))}'"
    if arguments.expires is not None:
        try:
            parse_expiry(arguments.expires)
        except ValueError as error:
            raise ConfigurationError(f"--expires: {error}") from None
        entry += f", expires: {arguments.expires.strip()}"
    print("The token, which is not stored and shown only here:", file=sys.stderr, flush=True)
    print(token, flush=True)
    print(
        f"\nAdd this line to 'tokens:' of the task file, or of its token file:\n  - {{{entry}}}",
        file=sys.stderr,
    )
    return 0
