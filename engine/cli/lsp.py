"""`engine lsp`: a language server on standard input and output."""

from __future__ import annotations

import argparse
from importlib.util import find_spec

from engine.errors import ConfigurationError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stdio",
        action="store_true",
        help="talk over standard input and output (what it always does; many editors pass this)",
    )
    parser.add_argument(
        "--verbose", action="store_true", help="log every message to standard error"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 when the editor has ended the session."""
    if find_spec("pygls") is None:
        raise ConfigurationError(
            "the language server needs the package pygls; install it: pip install 'snapline[lsp]'"
        )
    from engine.lsp.server import serve  # imports pygls, which takes most of a second

    return serve(is_verbose=arguments.verbose)
