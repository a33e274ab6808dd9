"""What a task asks of a JSON Web Token (RFC 7519) before it accepts it."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from urllib.parse import urlsplit

import msgspec

ALGORITHMS = (
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
)  # fmt: skip
"""Signatures that are checked with a public key."""


class JwtRules(msgspec.Struct, frozen=True, kw_only=True):
    """`jwks` is the file or address of the keys. `audience` is None for tokens for anybody.
    `leeway` is in seconds.

    `parameters` are those of the pipeline that get their value from a claim: name to claim.
    """

    jwks: str
    algorithms: tuple[str, ...]
    issuer: str
    audience: tuple[str, ...] | None
    leeway: float = 30.0
    parameters: Mapping[str, str] = msgspec.field(default_factory=dict)


def is_address(jwks: str) -> bool:
    """Whether the keys are fetched; otherwise they are in a file."""
    return "://" in jwks


def check_address(address: str) -> str:
    """Raises ValueError, with a message for the user, unless it is https or on this machine."""
    parts = urlsplit(address)
    if not parts.hostname:
        raise ValueError(f"{address!r:.200} has no host; write https://HOST/PATH")
    if parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname)):
        return address
    raise ValueError(
        f"{address!r:.200} is not encrypted, so the keys could be replaced; use https "
        "(http is possible on this machine only)"
    )


def check_algorithm(name: str) -> str:
    """Raises ValueError with a message for the user."""
    if name in ALGORITHMS:
        return name
    known = ", ".join(ALGORITHMS)
    if name.lower() == "none":
        raise ValueError(f"{name!r} would accept tokens that nobody signed; use some of {known}")
    if name.upper().startswith("HS"):
        raise ValueError(
            f"{name!r} signs with a shared secret, which a set of public keys must not hold; "
            f"use some of {known}"
        )
    raise ValueError(f"{name!r:.60} is not a supported algorithm; use some of {known}")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
