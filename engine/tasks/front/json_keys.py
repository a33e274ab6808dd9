"""Public keys in the form of a JSON Web Key Set (RFC 7517)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from engine.errors import ConfigurationError

MAX_BYTES = 64 * 1024

_FAMILIES = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""The type of key by the beginning of an algorithm's name."""


class JsonKey(msgspec.Struct, frozen=True):
    """A public key. `algorithm` is empty if it may be used with all that fit its `type`."""

    id: str
    type: str
    algorithm: str
    key: Any

    def fits(self, algorithm: str) -> bool:
        is_allowed = self.algorithm in ("", algorithm)
        return is_allowed and _FAMILIES.get(algorithm[:2]) == self.type


Keys = tuple[JsonKey, ...]


def find_key(keys: Iterable[JsonKey], key_id: str | None, algorithm: str) -> JsonKey | None:
    """The key with that id; without an id, the only one that fits the algorithm."""
    fitting = [each for each in keys if each.fits(algorithm) and key_id in (None, each.id)]
    return fitting[0] if len(fitting) == 1 or (fitting and key_id is not None) else None


def parse_keys(data: bytes) -> Keys:
    """The keys that can verify a signature; others are left out.

    Raises ValueError with a message for the operator if there is none.
    """
    if len(data) > MAX_BYTES:
        raise ValueError(f"there are more than {MAX_BYTES:,} bytes")
    try:
        found = msgspec.json.decode(data)
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("it is not valid JSON") from None
    listed = found.get("keys") if isinstance(found, dict) else None
    if not isinstance(listed, list):
        raise ValueError("it is not a key set: a map with the list 'keys'")
    keys = tuple(key for each in listed if (key := _key(each)) is not None)
    if not keys:
        raise ValueError("none of its keys can be used: a public key for signatures is needed")
    return keys


def load_keys(path: str) -> Keys:
    """The keys of a file. Raises ConfigurationError."""
    from pathlib import Path

    try:
        with Path(path).open("rb") as file:
            return parse_keys(file.read(MAX_BYTES + 1))
    except OSError as error:
        why = error.strerror or str(error)
        raise ConfigurationError(f"cannot read the key set {path!r}: {why}") from None
    except ValueError as error:
        raise ConfigurationError(f"the key set {path!r} cannot be used: {error}") from None


def check_library() -> None:
    """Raises ConfigurationError if JSON Web Tokens cannot be checked."""
    try:
        import cryptography  # noqa: F401
        import jwt  # noqa: F401
    except ImportError:
        raise ConfigurationError(
            "JSON Web Tokens need the packages PyJWT and cryptography; "
            "install them with: pip install 'snapline[jwt]'"
        ) from None


def _key(given: Any) -> JsonKey | None:
    import jwt

    if not isinstance(given, dict) or given.get("kty") not in _FAMILIES.values():
        return None  # shared secrets too: whoever can read the set could sign with them
    if given.get("use") not in (None, "sig"):
        return None
    public = {name: value for name, value in given.items() if name != "alg"}
    try:
        key = jwt.PyJWK(public).key
    except (jwt.PyJWTError, ValueError, TypeError, AttributeError):
        return None
    key = key.public_key() if hasattr(key, "private_bytes") else key
    identity, algorithm = given.get("kid"), given.get("alg")
    return JsonKey(
        identity if isinstance(identity, str) else "",
        given["kty"],
        algorithm if isinstance(algorithm, str) else "",
        key,
    )
