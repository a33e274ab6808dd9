"""`engine serve`: host pipelines as tasks behind HTTP, or on a schedule."""

from __future__ import annotations

import argparse
import logging
import sys
from functools import partial
from typing import TYPE_CHECKING

from engine.cli.options import add_parameters, given_parameters
from engine.cli.problems import print_problems
from engine.cli.serve_edges import (
    add_edge_arguments,
    admin_of,
    hosts_of,
    is_loopback,
    proxies_of,
    tls_of,
)
from engine.errors import ConfigurationError, Problem

if TYPE_CHECKING:
    from engine.tasks.front.front import Policy


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="+",
        help="task files, or pipeline files, each served as an ultra task named after the file",
    )
    parser.add_argument(
        "--port", type=int, default=8080, help="TCP port; 0 picks a free one (default: 8080)"
    )
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    add_parameters(parser)
    parser.add_argument(
        "--instances",
        type=int,
        metavar="N",
        help="instances of each ultra task (default: as in its file)",
    )
    parser.add_argument(
        "--allow-origin",
        action="append",
        default=[],
        metavar="ORIGIN",
        help="allow calls from pages of this origin, such as https://example.org; * allows all",
    )
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        metavar="NAME",
        help="serve requests for this host name; * serves any (default: only names of this machine "
        "if it listens there only, otherwise any)",
    )
    add_edge_arguments(parser)
    parser.add_argument(
        "--errors",
        choices=("full", "terse"),
        help="what callers learn of a failed request (default: full on this machine, otherwise "
        "terse)",
    )
    parser.add_argument(
        "--log-format", choices=("text", "json"), default="text", help="format of the log lines"
    )
    parser.add_argument(
        "--access-log", metavar="FILE", help="write a line for each request; - for standard error"
    )
    parser.add_argument(
        "--drain-delay",
        metavar="TIME",
        help="on SIGTERM, keep accepting requests for this long, such as 5s, because a load "
        "balancer takes a while to notice (default: until nobody is connected, at most 1s)",
    )
    parser.add_argument(
        "--state",
        metavar="FOLDER",
        help="folder for the history of scheduled runs (default: your state folder)",
    )
    parser.add_argument(
        "--site",
        metavar="FOLDER",
        help="also serve the files of this folder, index.html at /, so that a page can call a task",
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve until SIGINT or SIGTERM, then 0; 1 if nothing can be served, 2 for wrong files."""
    import uvloop

    from engine.registry import discover
    from engine.tasks.definition.access_reader import is_origin
    from engine.tasks.definition.loading import Overrides, load_tasks
    from engine.tasks.front.access import AccessLog
    from engine.tasks.front.line_writer import LineWriter
    from engine.tasks.front.site import Site
    from engine.tasks.server.endpoint import Endpoint
    from engine.tasks.server.logs import configure_logs, write_to_stderr
    from engine.tasks.server.server import Server
    from engine.tasks.server.trace_export import open_export

    if arguments.instances is not None and arguments.instances < 1:
        raise ConfigurationError("--instances must be at least 1")
    if not 0 <= arguments.port <= 65535:
        raise ConfigurationError(f"--port must be between 0 and 65535, not {arguments.port}")
    for origin in arguments.allow_origin:
        if not is_origin(origin):
            raise ConfigurationError(
                f"--allow-origin {origin}: write scheme and host such as https://example.org, or *"
            )
    tls, policy = tls_of(arguments), _policy(arguments)
    admin = admin_of(arguments, tls)
    overrides = Overrides(
        parameters=given_parameters(arguments),
        instances=arguments.instances,
        allowed_origins=tuple(arguments.allow_origin),
    )
    configure_logs(arguments.log_format)
    access = None
    if arguments.access_log is not None:
        to_stderr = arguments.access_log == "-"
        target = LineWriter(write_to_stderr) if to_stderr else arguments.access_log
        access = AccessLog(target, arguments.log_format)

    drain_delay = _duration("--drain-delay", arguments.drain_delay)
    site = None if arguments.site is None else Site(arguments.site)
    traces = open_export()

    warn = partial(_warn, log_format=arguments.log_format)

    async def serve() -> int:
        server = Server(
            lambda only: load_tasks(arguments.files, discover(), overrides, warn, only),
            Endpoint(arguments.host, arguments.port, tls),
            access,
            arguments.state,
            site,
            policy,
            drain_delay,
            traces,
            admin,
        )
        return await server.run()

    return int(uvloop.run(serve()))


def _duration(option: str, text: str | None) -> float | None:
    from engine.sdk.quantities import parse_duration

    if text is None:
        return None
    try:
        return 0.0 if text.strip() == "0" else parse_duration(text)
    except ValueError as error:
        raise ConfigurationError(f"{option}: {error}") from None


def _policy(arguments: argparse.Namespace) -> Policy:
    from engine.tasks.front.front import Policy

    hosts = hosts_of(arguments.host, arguments.allow_host)
    is_reachable = bool(arguments.trust_proxy) or not is_loopback(arguments.host)
    return Policy(
        hosts,
        terse=arguments.errors == "terse" or (not arguments.errors and is_reachable),
        proxies=proxies_of(arguments),
        scheme="http" if arguments.tls_cert is None else "https",
    )


def _warn(problem: Problem, log_format: str) -> None:
    """Say what is doubtful about a file, in the form of the log if machines read it."""
    if log_format == "json":
        logging.getLogger("engine.serve").warning("%s", problem)
    else:
        print_problems([problem], sys.stderr)
