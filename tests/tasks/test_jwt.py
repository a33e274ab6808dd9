"""JSON Web Tokens are checked against keys."""

from __future__ import annotations

import base64
import json
import time
from pathlib import Path
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization

from engine.errors import ConfigurationError
from engine.tasks.definition.jwt_rules import JwtRules
from engine.tasks.definition.task_file import parse_task
from engine.tasks.front import jwt_check
from engine.tasks.front.authentication import Caller
from engine.tasks.front.json_keys import Keys, find_key, load_keys, parse_keys
from engine.tasks.front.jwt_check import JwtCheck
from engine.tasks.front.reply import Reply
from tests.tasks.jwt_tokens import RULES, key_set_of, private_key, public, token, unsigned
from tests.tasks.task_files import problem_in, task_of

TRIGGERED = "type: triggered\npipeline: p.yaml\n"


class Known:
    """Keys that do not change."""

    failure = ""
    may_be_fetched = False

    def __init__(self, *kids: str) -> None:
        self.keys: Keys = parse_keys(key_set_of(*kids))

    def renew_if_stale(self) -> None:
        """Never."""

    async def refreshed(self) -> None:
        """Never."""


def decided(text: str, rules: JwtRules = RULES) -> Caller | str:
    found = JwtCheck(rules, Known("one", "two", "ec"))(text)
    assert isinstance(found, Caller | Reply)
    if isinstance(found, Caller):
        return found
    assert found.status == 401
    assert ("www-authenticate", 'Bearer error="invalid_token"') in found.headers
    return str(json.loads(bytes(found.body))["error"])  # type: ignore[arg-type]


def test_a_valid_token_says_who_calls() -> None:
    for kid, algorithm in (("one", "RS256"), ("two", "RS256"), ("ec", "ES256")):
        caller = decided(token(kid, algorithm, tenant="acme"))
        assert isinstance(caller, Caller)
        assert (caller.name, caller.key) == ("ada", "jwt ada")
        assert caller.claims is not None
        assert caller.claims["tenant"] == "acme"


@pytest.mark.parametrize(
    ("claims", "error"),
    [
        ({"exp": 1}, "the token has expired"),
        ({"exp": None}, "the token lacks a claim"),
        ({"iss": "you"}, "the token is from another issuer"),
        ({"iss": None}, "the token lacks a claim"),
        ({"aud": "other"}, "the token is for another audience"),
        ({"aud": None}, "the token lacks a claim"),
        ({"nbf": 4_000_000_000}, "the token is not valid yet"),
    ],
)
def test_a_token_that_is_not_for_this_task_is_refused(claims: Any, error: str) -> None:
    assert decided(token(**claims)) == error


@pytest.mark.parametrize("audience", ["digits", "other", ["a", "b"], None])
def test_any_audience_will_do_if_the_task_says_so(audience: Any) -> None:
    rules = msgspec.structs.replace(RULES, audience=None)
    assert isinstance(decided(token(aud=audience), rules), Caller)
    assert decided(token(aud=audience, iss="you"), rules) == "the token is from another issuer"
    assert decided(token(aud=audience, exp=1), rules) == "the token has expired"


def test_a_token_for_several_is_valid_for_each_of_them() -> None:
    assert isinstance(decided(token(aud=["letters", "digits"])), Caller)
    assert decided(token(aud=["letters", "words"])) == "the token is for another audience"


@pytest.mark.parametrize("exp", ["soon", "4000000000", 1e300, -1, [1], {}, True])
def test_an_odd_time_is_refused_or_taken_as_a_number(exp: Any) -> None:
    found = decided(token(exp=exp))
    assert isinstance(found, Caller) is (exp in ("4000000000", 1e300))


def test_clocks_may_differ_by_the_leeway() -> None:
    now = int(time.time())
    assert isinstance(decided(token(exp=now - 20, nbf=now + 20)), Caller)
    assert decided(token(exp=now - 40)) == "the token has expired"
    strict = JwtRules(jwks="", algorithms=("RS256",), issuer="me", audience=("digits",), leeway=0.0)
    assert decided(token(exp=now - 20), strict) == "the token has expired"


def test_a_token_that_was_valid_is_checked_again_when_it_expires_or_the_keys_change() -> None:
    now, source = time.time(), Known("one")
    moment = [now]
    check = JwtCheck(RULES, source, lambda: moment[0])
    text = token(exp=int(now) - 20)
    first = check(text)
    assert isinstance(first, Caller)
    assert check(text) is first
    moment[0] += 30
    again = check(text)
    assert again is not first
    source.keys = parse_keys(key_set_of("two"))
    refused = check(text)
    assert isinstance(refused, Reply)
    assert refused.status == 401


def test_few_valid_tokens_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jwt_check, "MAX_VALID", 2)
    check = JwtCheck(RULES, Known("one"))
    texts = [token(sub=name) for name in "abc"]
    callers = [check(text) for text in texts]
    assert check(texts[2]) is callers[2]
    assert check(texts[1]) is callers[1]
    assert check(texts[0]) is not callers[0]


def test_a_key_of_another_signs_nothing() -> None:
    text = jwt.encode({"iss": "me"}, private_key("stranger"), "RS256", {"kid": "one"})
    assert decided(text) == "the signature of the token is wrong"
    assert decided(token("stranger")) == "the key of the token is not known"
    head, _, rest = token().partition(".")
    body, _, signature = rest.partition(".")
    changed = (
        base64.urlsafe_b64encode(base64.urlsafe_b64decode(body + "==").replace(b"ada", b"eve"))
        .rstrip(b"=")
        .decode()
    )
    assert decided(f"{head}.{changed}.{signature}") == "the signature of the token is wrong"


def test_a_public_key_is_never_taken_for_a_shared_secret() -> None:
    """The classic: the token is signed with HS256 and the text of the public key."""
    pem = (
        private_key("one")
        .public_key()
        .public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    )
    import hashlib
    import hmac

    head = unsigned({"alg": "HS256", "kid": "one"}).partition(".")[0]
    body = token().split(".")[1]
    mac = hmac.digest(pem, f"{head}.{body}".encode(), hashlib.sha256)
    signature = base64.urlsafe_b64encode(mac).rstrip(b"=").decode()
    assert decided(f"{head}.{body}.{signature}") == "the algorithm of the token is not accepted"


UNREADABLE = "the token is not a valid JSON Web Token"


@pytest.mark.parametrize(
    ("text", "error"),
    [
        (unsigned({"alg": "none"}), "the algorithm of the token is not accepted"),
        (unsigned({"alg": "RS512", "kid": "one"}), "the algorithm of the token is not accepted"),
        (unsigned({"alg": "ES256", "kid": "one"}), "the key of the token is not known"),
        (unsigned({"alg": "RS256", "kid": "one"}), "the signature of the token is wrong"),
        (unsigned({"alg": "RS256", "kid": 7}), UNREADABLE),
        (unsigned({"alg": "RS256", "kid": "k" * 10_000}), "the key of the token is not known"),
        (unsigned({"alg": ["RS256"]}), UNREADABLE),
        (unsigned([]), UNREADABLE),
        (unsigned({"alg": "RS256", "kid": "one", "crit": ["x"]}), UNREADABLE),
        ("a.b.c", UNREADABLE),
        ("..", UNREADABLE),
        ("\xe9.\xe9.\xe9", UNREADABLE),
        (
            base64.urlsafe_b64encode(b"[" * 40_000).decode().rstrip("=") + ".e30.x",
            UNREADABLE,
        ),
    ],
)  # fmt: skip
def test_what_is_not_a_token_is_refused(text: str, error: str) -> None:
    assert decided(text) == error


def test_without_an_id_the_only_key_that_fits_counts() -> None:
    keys = parse_keys(key_set_of("one", "two", "ec"))
    assert find_key(keys, None, "RS256") is None
    found = find_key(keys, None, "ES256")
    assert found is not None
    assert found.id == "ec"


def test_a_key_keeps_to_its_algorithm() -> None:
    keys = parse_keys(json.dumps({"keys": [public("one", alg="PS256")]}).encode())
    assert find_key(keys, "one", "RS256") is None
    assert find_key(keys, "one", "PS256") is not None


def test_keys_that_verify_nothing_are_left_out() -> None:
    shared = {"kty": "oct", "k": "c2VjcmV0", "kid": "shared"}
    odd: list[Any] = [shared, public("two", use="enc"), {"kty": "RSA"}, 7, {"kty": "new"}]
    keys = parse_keys(json.dumps({"keys": [*odd, public("one", x5c=["junk"])]}).encode())
    assert [key.id for key in keys] == ["one"]
    with pytest.raises(ValueError, match="none of its keys can be used"):
        parse_keys(json.dumps({"keys": odd}).encode())


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not valid JSON"),
        (b'{"keys": [', "not valid JSON"),
        (b"[" * 60_000, "not valid JSON"),
        (b"[]", "it is not a key set"),
        (b'{"keys": {}}', "it is not a key set"),
        (b'{"keys": []}', "none of its keys"),
        (b" " * 70_000, "more than 65,536 bytes"),
    ],
)
def test_what_is_no_key_set_is_named(data: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=message):
        parse_keys(data)
    (tmp_path / "keys.json").write_bytes(data)
    with pytest.raises(ConfigurationError, match=message):
        load_keys(str(tmp_path / "keys.json"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("jwks: http://example.org/k", "is not encrypted"),
        ("jwks: ftp://127.0.0.1/k", "is not encrypted"),
        ("jwks: https:///k", "has no host"),
        ("algorithms: [HS256]", "signs with a shared secret"),
        ("algorithms: [none]", "would accept tokens that nobody signed"),
        ("algorithms: [RS1]", "'RS1' is not a supported algorithm"),
        ("algorithms: []", "'jwt.algorithms' is empty"),
        ("audience: []", "'jwt.audience' is empty"),
        ("audience: digits", "write a list: [digits]"),
        ("audience: null", "the setting 'audience'"),
        ("leeway: soon", "'leeway'"),
        ("issuer: null", "the setting 'issuer'"),
    ],
)
def test_a_mistake_in_the_rules_is_named(text: str, message: str) -> None:
    settings = {
        "jwks": "keys.json", "algorithms": "[RS256]", "issuer": "me", "audience": "[digits]"
    }  # fmt: skip
    name, _, value = text.partition(": ")
    settings[name] = value
    lines = "\n".join(f"  {name}: {value}" for name, value in settings.items())
    assert message in problem_in(f"{TRIGGERED}jwt:\n{lines}\n")


def test_the_audience_must_be_named_or_waived() -> None:
    rules = "jwt:\n  jwks: k.json\n  algorithms: [RS256]\n  issuer: me\n"
    for written, read in (("[digits]", ("digits",)), ("any", None)):
        found = task_of(f"{TRIGGERED}{rules}  audience: {written}\n").jwt
        assert found is not None
        assert found.audience == read
    assert "the setting 'audience' is missing" in problem_in(TRIGGERED + rules)
    (warning,) = parse_task(f"{TRIGGERED}{rules}  audience: [any]\n").problems
    assert warning.severity == "warning"
    assert "write 'audience: any'" in warning.hint
