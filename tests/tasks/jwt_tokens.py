"""JSON Web Tokens for tests, and the keys that sign them."""

from __future__ import annotations

import base64
import json
import time
from functools import lru_cache
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from engine.tasks.definition.jwt_rules import JwtRules

RULES = JwtRules(jwks="keys.json", algorithms=("RS256", "ES256"), issuer="me", audience=("digits",))


@lru_cache
def private_key(kid: str) -> Any:
    if kid.startswith("ec"):
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 2048)


def public(kid: str, **more: Any) -> dict[str, Any]:
    algorithm = jwt.algorithms.ECAlgorithm if kid.startswith("ec") else jwt.algorithms.RSAAlgorithm
    key = json.loads(algorithm.to_jwk(private_key(kid).public_key()))
    return {**key, "kid": kid, **more}


def key_set_of(*kids: str) -> bytes:
    return json.dumps({"keys": [public(kid) for kid in kids]}).encode()


def token(kid: str = "one", algorithm: str = "RS256", head: Any = None, **claims: Any) -> str:
    now = int(time.time())
    given = {"iss": "me", "aud": "digits", "exp": now + 600, "sub": "ada", **claims}
    given = {name: value for name, value in given.items() if value is not None}
    headers = {"kid": kid} if head is None else head
    return jwt.encode(given, private_key(kid), algorithm, headers)


def unsigned(header: Any, claims: Any = None) -> str:
    parts = [json.dumps(header).encode(), json.dumps(claims or {}).encode(), b"x"]
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)
