"""The options of `engine serve` about who reaches it and how: TLS and proxies."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from engine.errors import ConfigurationError

if TYPE_CHECKING:
    from engine.tasks.front.proxies import TrustedProxies
    from engine.tasks.front.tls import ServerTls


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
