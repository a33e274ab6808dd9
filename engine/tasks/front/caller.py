"""Who has sent a request, as far as the server knows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import msgspec


class Caller(msgspec.Struct, frozen=True):
    """`name` is that of the token, or the subject of a JSON Web Token; empty if it has none.

    Requests with the same `key` count together in rate limits. `claims` are those of a JSON Web
    Token.
    """

    name: str = ""
    key: str = ""
    claims: Mapping[str, Any] | None = None

    @property
    def document(self) -> bytes:
        """What the pipeline learns, as JSON; empty if there is nothing to say."""
        if not self.name and self.claims is None:
            return b""
        return json.dumps({"name": self.name, "claims": self.claims or {}}).encode()


ANYBODY = Caller()
