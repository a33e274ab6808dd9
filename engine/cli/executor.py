"""`engine executor`: run Remote Python scripts for engines on other hosts."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from engine.errors import ConfigurationError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--port", type=int, required=True, help="TCP port; 0 picks a free one")
    parser.add_argument(
        "--token-file",
        type=Path,
        required=True,
        metavar="FILE",
        help="file with the token that clients must send",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on (default: this machine only; traffic is not encrypted)",
    )
    parser.add_argument(
        "--sessions",
        type=int,
        default=8,
        metavar="N",
        help="scripts that may run at the same time (default: 8)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM, then 0; 1 if the port is not available, 2 for a bad token."""
    from engine.script.server import ScriptServer

    if arguments.sessions < 1:
        raise ConfigurationError("--sessions must be at least 1")
    token = read_token(arguments.token_file)
    try:
        server = ScriptServer(
            token,
            host=arguments.host,
            port=arguments.port,
            sessions=arguments.sessions,
            log=_log,
        )
    except (OSError, OverflowError) as error:
        _log(f"cannot listen on {arguments.host}:{arguments.port}: {error}")
        return 1
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: server.stop())
    _log(f"script executor listening on {arguments.host}:{server.port}")
    server.serve()
    return 0


def read_token(path: Path) -> str:
    """The token in a file; raises ConfigurationError if there is none."""
    try:
        token = path.read_text(encoding="utf-8").strip()
        mode = path.stat().st_mode
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise ConfigurationError(f"cannot read the token file {str(path)!r}: {reason}") from error
    if not token:
        raise ConfigurationError(f"the token file {str(path)!r} is empty")
    if mode & 0o077:
        _log(f"warning: other users can read {str(path)!r}; run: chmod 600 {path}")
    return token


def _log(line: str) -> None:
    sys.stderr.write(f"{line}\n")
    sys.stderr.flush()
