"""Whether a JSON Web Token is valid for a task (RFC 7519, with the advice of RFC 8725)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import Any, Protocol

from engine.tasks.definition.jwt_rules import JwtRules
from engine.tasks.definition.token_hash import digest_of
from engine.tasks.front.authentication import Caller, Decision, LaterDecision, refused
from engine.tasks.front.json_keys import JsonKey, Keys, find_key
from engine.tasks.front.reply import Reply, error_reply

MAX_VALID = 1000
"""Valid tokens that are remembered, since checking a signature takes a tenth of a millisecond."""

_RETRY_AFTER = "10"
_UNREADABLE = "the token is not a valid JSON Web Token"


class KeySource(Protocol):
    """Where the keys come from."""

    @property
    def keys(self) -> Keys: ...
    @property
    def failure(self) -> str:
        """Why the keys could not be fetched at last; empty if they could."""
        ...

    @property
    def may_be_fetched(self) -> bool: ...
    def renew_if_stale(self) -> None: ...
    async def refreshed(self) -> None: ...


class JwtCheck:
    """Checks tokens by the rules of one task."""

    def __init__(
        self, rules: JwtRules, source: KeySource, now: Callable[[], float] = time.time
    ) -> None:
        self._rules = rules
        self._source = source
        self._now = now
        self._valid: OrderedDict[bytes, tuple[Caller, float]] = OrderedDict()
        self._valid_with: Keys = ()

    def __call__(self, token: str) -> Decision | LaterDecision:
        self._source.renew_if_stale()
        known = self._known(token)
        if known is not None:
            return known
        header = _header_of(token)
        if header is None:
            return refused(_UNREADABLE)
        algorithm, key_id = header
        if algorithm not in self._rules.algorithms:
            return refused(
                "the algorithm of the token is not accepted",
                f"it is {algorithm!r:.40}; accepted are: {', '.join(self._rules.algorithms)}",
            )
        key = find_key(self._source.keys, key_id, algorithm)
        if key is not None:
            return self._verified(token, key, algorithm)
        if self._source.may_be_fetched:
            return partial(self._after_refresh, token, key_id, algorithm)
        return self._without_key()

    def _known(self, token: str) -> Caller | None:
        """Whose token it is, if it was found valid with the present keys and has not expired."""
        if self._valid_with is not self._source.keys:  # a key may have been withdrawn
            self._valid.clear()
            self._valid_with = self._source.keys
        caller, end = self._valid.get(digest_of(token), (None, 0.0))
        return caller if self._now() < end else None

    async def _after_refresh(self, token: str, key_id: str | None, algorithm: str) -> Decision:
        await self._source.refreshed()
        key = find_key(self._source.keys, key_id, algorithm)
        return self._without_key() if key is None else self._verified(token, key, algorithm)

    def _without_key(self) -> Reply:
        if self._source.failure or not self._source.keys:
            return error_reply(
                503,
                "the token cannot be checked now",
                "the keys of its issuer cannot be fetched",
                "try again later",
                [("retry-after", _RETRY_AFTER)],
            )
        return refused("the key of the token is not known", "its issuer has no such key")

    def _verified(self, token: str, key: JsonKey, algorithm: str) -> Decision:
        import jwt

        rules = self._rules
        try:
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[algorithm],
                audience=None if rules.audience is None else list(rules.audience),
                issuer=rules.issuer,
                leeway=rules.leeway,
                options={"require": ["exp"], "verify_aud": rules.audience is not None},
            )
            end = float(claims["exp"]) + rules.leeway
        except jwt.ExpiredSignatureError:
            return refused("the token has expired")
        except jwt.ImmatureSignatureError:
            return refused("the token is not valid yet")
        except jwt.InvalidAudienceError:
            return refused("the token is for another audience")
        except jwt.InvalidIssuerError:
            return refused("the token is from another issuer")
        except jwt.MissingRequiredClaimError as error:
            return refused("the token lacks a claim", f"it has no {error.claim!r}")
        except jwt.InvalidSignatureError:
            return refused("the signature of the token is wrong")
        except (jwt.PyJWTError, ValueError, TypeError, ArithmeticError, RecursionError):
            return refused(_UNREADABLE)
        subject = claims.get("sub")
        name = subject if isinstance(subject, str) else ""
        digest = digest_of(token)
        caller = Caller(name, f"jwt {name or digest.hex()}", claims)
        self._valid[digest] = caller, end
        if len(self._valid) > MAX_VALID:
            self._valid.popitem(last=False)
        return caller


def _header_of(token: str) -> tuple[str, str | None] | None:
    """Algorithm and key id as the token says, which proves nothing yet."""
    import jwt

    try:
        header: dict[str, Any] = jwt.get_unverified_header(token)
    except (jwt.PyJWTError, ValueError, TypeError, RecursionError):
        return None
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or "crit" in header:  # extensions that must be understood
        return None
    return algorithm, key_id if isinstance(key_id, str) else None
