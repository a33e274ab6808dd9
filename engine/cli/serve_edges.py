"""The options of `engine serve` about who reaches it and how: TLS, proxies, the admin port."""

from __future__ import annotations

import argparse
import ipaddress
import socket
from collections.abc import Iterable
from typing import TYPE_CHECKING

from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.tasks.front.proxies import TrustedProxies
    from engine.tasks.front.tls import ServerTls
    from engine.tasks.server.admin_server import AdminPort


def add_edge_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--tls-cert", metavar="FILE", help="serve https with this certificate chain (PEM)"
    )
    parser.add_argument(
        "--tls-key", metavar="FILE", help="its key (PEM), unless it is in the file of --tls-cert"
    )
    parser.add_argument(
        "--tls-client-ca",
        metavar="FILE",
        help="callers must have a certificate of one of these authorities (PEM)",
    )
    parser.add_argument(
        "--trust-proxy",
        action="append",
        default=[],
        metavar="NETWORK",
        help="believe what proxies in this network, such as 10.0.0.0/8, say about their callers "
        "(X-Forwarded-For and the like); repeatable",
    )
    parser.add_argument(
        "--admin-port",
        type=int,
        metavar="PORT",
        help="TCP port for operators: see, pause, drain and reload tasks (default: none; "
        "'engine tasks' works without it)",
    )
    parser.add_argument(
        "--admin-host",
        default="127.0.0.1",
        metavar="ADDRESS",
        help="address of the admin port (default: this machine only)",
    )
    parser.add_argument(
        "--admin-tokens",
        metavar="FILE",
        help="token file of the admin port, required unless it is on this machine only; make "
        "tokens with 'engine token new'",
    )


def tls_of(arguments: argparse.Namespace) -> ServerTls | None:
    if arguments.tls_cert is None:
        for option in ("key", "client_ca"):
            if getattr(arguments, f"tls_{option}") is not None:
                name = option.replace("_", "-")
                raise ConfigurationError(f"--tls-{name} does nothing without --tls-cert FILE")
        return None
    from engine.tasks.front.tls import ServerTls, TlsFiles

    key, client_ca = arguments.tls_key or "", arguments.tls_client_ca or ""
    return ServerTls(TlsFiles(arguments.tls_cert, key, client_ca))


def proxies_of(arguments: argparse.Namespace) -> TrustedProxies | None:
    if not arguments.trust_proxy:
        return None
    from engine.tasks.front.proxies import TrustedProxies, parse_network

    try:
        return TrustedProxies([parse_network(text) for text in arguments.trust_proxy])
    except ValueError as error:
        raise ConfigurationError(f"--trust-proxy: {error}") from None


def admin_of(arguments: argparse.Namespace, tls: ServerTls | None) -> AdminPort | None:
    port, host, tokens = arguments.admin_port, arguments.admin_host, arguments.admin_tokens
    if port is None:
        if tokens is not None:
            raise ConfigurationError("--admin-tokens does nothing without --admin-port PORT")
        return None
    if not 0 <= port <= 65535:
        raise ConfigurationError(f"--admin-port must be between 0 and 65535, not {port}")
    if tokens is None and not is_loopback(host):
        raise ConfigurationError(
            f"others can reach the admin port at {host!r}, so it needs --admin-tokens FILE; make "
            "tokens with: engine token new --name NAME"
        )
    from engine.tasks.front.front import Policy
    from engine.tasks.server.admin_server import AdminPort
    from engine.tasks.server.endpoint import Endpoint

    endpoint = Endpoint(host, port, tls, "--admin-port")
    return AdminPort(endpoint, Policy(hosts_of(host, arguments.allow_host)), tokens or "")


_LOCAL_NAMES = frozenset(("localhost", "127.0.0.1", "[::1]"))


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach what listens there, however the address is written."""
    try:
        found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):  # nothing can listen there
        return False
    address = ipaddress.ip_address(str(found[0][4][0]).partition("%")[0])
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def hosts_of(host: str, allowed: Iterable[str]) -> frozenset[str] | None:
    """The names for which to serve; None for any."""
    names = {name.strip().lower() for name in allowed}
    if "*" in names or not (names or is_loopback(host)):
        return None
    own = host.lower()
    return frozenset({*_LOCAL_NAMES, f"[{own}]" if ":" in own else own, *names})
