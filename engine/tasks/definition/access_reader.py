"""Who may call a task: its tokens, what it asks of JSON Web Tokens, and from which pages."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from engine.pipeline.environment import MISSPELT_VARIABLE, is_written_out
from engine.pipeline.nodes import Scalar
from engine.sdk.quantities import parse_duration
from engine.sdk.settings import shown
from engine.tasks.definition.applicability import applies
from engine.tasks.definition.environment_values import EnvironmentValues
from engine.tasks.definition.jwt_rules import (
    JwtRules,
    check_address,
    check_algorithm,
    is_address,
)
from engine.tasks.definition.path_beside import path_beside
from engine.tasks.definition.problem_collector import ProblemCollector
from engine.tasks.definition.settings import JwtSettings, TokenSettings
from engine.tasks.definition.task import TaskType
from engine.tasks.definition.token_hash import TokenHash, parse_expiry, parse_hash, parse_name

_TOKEN = re.compile(r"[\x21-\x7e]+")
_ORIGIN = re.compile(r"\*|[a-z][a-z0-9+.-]*://[^/\s?#]+", re.IGNORECASE)


class AccessReader:
    """Reads the settings that guard a task. `values` are those that could be converted."""

    def __init__(
        self,
        collector: ProblemCollector,
        environment_values: EnvironmentValues,
        kind: TaskType | None,
    ) -> None:
        self._collector = collector
        self._values = environment_values
        self._kind = kind

    def read(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The fields of the Task."""
        for key in ("tokens", "token_file", "jwt"):
            self._check_open(key)
        return {
            "bearer_token": self._bearer_token(values.get("bearer_token") or ""),
            "tokens": read_tokens(values.get("tokens"), self._collector),
            "token_file": self._file(values.get("token_file")),
            "jwt": self._jwt(values.get("jwt")),
            "allowed_origins": self._origins(values.get("allowed_origins", ())),
        }

    def _bearer_token(self, text: str) -> str:
        path = ("bearer_token",)
        if not text.strip():
            self._check_open("bearer_token")
            return ""
        if MISSPELT_VARIABLE.search(text):
            self._values.report_misspelt(path, text, "error")
            return ""
        token = self._values.filled(path, text)
        if is_written_out(text):
            message = "the bearer token is written in the file"
            hint = "use ${env:NAME}"
            self._collector.report("secret-in-file", path, message, hint, severity="warning")
        if token and self._values.environment is not None and not _TOKEN.fullmatch(token):
            message = "the bearer token has a character that an HTTP header cannot carry"
            hint = "use ASCII letters, digits and punctuation"
            self._collector.report("bad-setting", path, message, hint)
        return token

    def _check_open(self, key: str) -> None:
        """Report an empty value: leaving out the key is the way to let everybody call."""
        entry = self._collector.keys().get(key)
        if entry is None or not isinstance(entry.value, Scalar):
            return
        if entry.value.value is not None and entry.value.text.strip():
            return
        if self._kind is not None and not applies(self._kind, key):
            return
        message = f"an empty {key!r} would let everybody in"
        hint = "leave the key out if you want that"
        hint += ", or give ${env:NAME}" if key == "bearer_token" else ""
        self._collector.report("bad-setting", (key,), message, hint)

    def _file(self, name: str | None) -> str:
        if name is None or not name.strip():  # reported if it is there
            return ""
        return path_beside(self._collector.source.text.path, name)

    def _jwt(self, given: JwtSettings | None) -> JwtRules | None:
        if given is None:
            return None
        parsed = self._collector.parsed
        for index, name in enumerate(given.algorithms):
            parsed(("jwt", "algorithms", index), name, check_algorithm)
        for key in ("algorithms", "audience"):
            if not getattr(given, key):
                message = f"'jwt.{key}' is empty, so no token could be valid"
                self._collector.report("bad-setting", ("jwt", key), message, "name at least one")
        if given.audience == ("any",):
            message = "'any' in a list is the name of an audience"
            hint = "write 'audience: any' to accept tokens for every audience"
            path = ("jwt", "audience")
            self._collector.report("bad-setting", path, message, hint, severity="warning")
        leeway: float | None = None
        if given.leeway is not None:
            leeway = parsed(("jwt", "leeway"), given.leeway, parse_duration)
        return JwtRules(
            jwks=self._jwks(given.jwks),
            algorithms=given.algorithms,
            issuer=given.issuer,
            audience=None if given.audience == "any" else given.audience,
            leeway=30.0 if leeway is None else leeway,
            parameters=given.parameters,
        )

    def _origins(self, origins: tuple[str, ...]) -> tuple[str, ...]:
        for index, origin in enumerate(origins):
            if origin is not None and not is_origin(origin):
                message = f"{shown(origin)} is not an origin"
                hint = "write scheme and host such as 'https://example.org', or '*' for every page"
                self._collector.report("bad-setting", ("allowed_origins", index), message, hint)
        return tuple(origin.lower() for origin in origins if origin is not None)

    def _jwks(self, place: str) -> str:
        if not place.strip():
            hint = "give a file or an https address"
            self._collector.report("bad-setting", ("jwt", "jwks"), "'jwt.jwks' is empty", hint)
        if is_address(place):
            return self._collector.parsed(("jwt", "jwks"), place, check_address) or ""
        return self._file(place)


def is_origin(text: str) -> bool:
    """Whether a browser could send it as Origin; `*` counts too."""
    return _ORIGIN.fullmatch(text) is not None


def read_tokens(
    given: tuple[TokenSettings | None, ...] | None, collector: ProblemCollector
) -> tuple[TokenHash, ...] | None:
    """The tokens, as far as they are valid. No name may come twice."""
    if given is None:
        return None
    found: dict[str, TokenHash] = {}
    for index, token in enumerate(given):
        if token is None:  # reported when it was converted
            continue
        path = ("tokens", index)
        name = collector.parsed((*path, "name"), token.name, parse_name)
        digest = collector.parsed((*path, "hash"), token.hash, parse_hash)
        expires = None
        if token.expires is not None:
            expires = collector.parsed((*path, "expires"), token.expires, parse_expiry)
        if name in found:
            message = f"there is already a token {name!r}"
            hint = "give each token its own name; while you replace one, both may be in the list"
            collector.report("duplicate-name", (*path, "name"), message, hint)
        if name is not None and digest is not None:
            found[name] = TokenHash(name, digest, expires)
    return tuple(found.values())
