"""Bearer tokens as their hashes, which may lie in a file that others read.

A token is random and long, so a plain SHA-256 of it cannot be turned back into it.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec

TOKEN_NAME = re.compile(r"[A-Za-z0-9._@-]{1,100}", re.ASCII)
_HASH = re.compile(r"sha256:([0-9a-fA-F]{64})")


class TokenHash(msgspec.Struct, frozen=True):
    """A named token that callers may send. `digest` is its SHA-256; `expires` is aware."""

    name: str
    digest: bytes
    expires: datetime | None = None


def new_token() -> str:
    """A token of 256 random bits; its beginning lets scanners for leaked secrets find it."""
    import secrets  # a check of a task file makes no tokens

    return f"snapline_{secrets.token_urlsafe(32)}"


def digest_of(token: str) -> bytes:
    import hashlib  # a check of a task file compares no tokens

    return hashlib.sha256(token.encode()).digest()


def written_hash(digest: bytes) -> str:
    """The digest as the setting `hash` has it."""
    return f"sha256:{digest.hex()}"


def parse_hash(text: str) -> bytes:
    """Raises ValueError with a message that does not quote the text: it may be the token."""
    found = _HASH.fullmatch(text.strip())
    if found is None:
        raise ValueError(
            "expected 'sha256:' and 64 hexadecimal digits; "
            "make a token and its hash with: engine token new"
        )
    return bytes.fromhex(found[1])


def parse_name(text: str) -> str:
    """Raises ValueError with a message for the user."""
    if not TOKEN_NAME.fullmatch(text):
        raise ValueError(
            f"{text!r:.60} is not a valid name for a token; use up to 100 letters, digits and ._@-"
        )
    return text


def parse_expiry(text: str) -> datetime:
    """The moment from which a token is refused, in UTC unless the text says otherwise.

    Raises ValueError with a message for the user.
    """
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError:
        raise ValueError(
            f"{text!r:.60} is not a date or time; write it as 2027-01-31 or 2027-01-31T18:00"
        ) from None
    return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
