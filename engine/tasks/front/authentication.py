"""Whether a request may pass: it carries one of the task's tokens, or a JSON Web Token.

Tokens are compared as hashes, all of them and in constant time, so that the time of a refusal says
nothing about them. Where nothing can be known, because the keys are away, the answer is no.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from engine.tasks.definition.task import Task
from engine.tasks.definition.token_hash import TokenHash, digest_of
from engine.tasks.front.reply import Reply, error_reply
from engine.tasks.wire.messages import Headers


class Caller(msgspec.Struct, frozen=True):
    """Who has sent a request. `name` is that of the token, or the subject of a JSON Web Token;
    empty if it has none.

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

Decision = Caller | Reply
"""Who the caller is, or the response that refuses the request."""

LaterDecision = Callable[[], Awaitable[Decision]]
"""Decides once the keys have been fetched."""

CheckJwt = Callable[[str], Decision | LaterDecision]

_PLAIN = "bearer token"
"""The key of the token without a name; no name has a space."""


class Authenticator:
    """Decides about the requests to one task."""

    def __init__(
        self,
        task: Task,
        file_tokens: Callable[[], Iterable[TokenHash]],
        check_jwt: CheckJwt | None = None,
    ) -> None:
        self.task = task
        self._is_guarded = task.is_guarded
        self._own = list(task.tokens or ())
        if task.bearer_token:
            self._own.append(TokenHash("", digest_of(task.bearer_token)))
        self._file_tokens = file_tokens
        self._check_jwt = check_jwt

    def check(self, headers: Headers) -> Decision | LaterDecision:
        if not self._is_guarded:
            return ANYBODY
        token = bearer_token(headers)
        if token is None:
            return without_token()
        found = known_token(token, (*self._own, *self._file_tokens()))
        if found is not None:
            return found
        if self._check_jwt is not None and token.count(".") == 2:
            return self._check_jwt(token)
        return without_token()


def bearer_token(headers: Headers) -> str | None:
    """The token of the only Authorization header; None without one."""
    given = [value for name, value in headers if name == "authorization"]
    if len(given) != 1:
        return None
    scheme, _, value = given[0].partition(" ")
    return value.strip() if scheme.lower() == "bearer" else None


def known_token(token: str, tokens: Iterable[TokenHash]) -> Decision | None:
    """Whose token it is, or the refusal if it has expired; None if it is none of these."""
    digest = digest_of(token)
    found = None
    for each in tokens:  # all of them: how long it takes must not say which one is near
        if hmac.compare_digest(each.digest, digest):
            found = each
    if found is None:
        return None
    if found.expires is not None and datetime.now(UTC) >= found.expires:
        return refused("the token has expired", f"it was valid until {found.expires.isoformat()}")
    return Caller(found.name, found.name or _PLAIN)


def refused(error: str, reason: str = "", resolution: str = "") -> Reply:
    """A refusal of a token that was sent."""
    return error_reply(
        401,
        error,
        reason,
        resolution or "send a valid token in the header 'Authorization: Bearer TOKEN'",
        [("www-authenticate", 'Bearer error="invalid_token"')],
    )


def without_token() -> Reply:
    """The refusal of a request without a token that is known."""
    return error_reply(
        401,
        "the token is missing or wrong",
        "",
        "send the header 'Authorization: Bearer TOKEN' once",
        [("www-authenticate", "Bearer")],
    )
