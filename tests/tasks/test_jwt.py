"""JSON Web Tokens: against keys in a file or at an address, which may be away."""

from __future__ import annotations

import base64
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import jwt
import msgspec
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from engine.errors import ConfigurationError
from engine.tasks.definition.jwt_rules import JwtRules
from engine.tasks.front import jwt_check, key_set
from engine.tasks.front.caller import Caller
from engine.tasks.front.json_keys import Keys, find_key, load_keys, parse_keys
from engine.tasks.front.jwt_check import JwtCheck
from engine.tasks.front.key_set import KeySet, keeping_time
from engine.tasks.front.reply import Reply
from tests.tasks.conftest import Serve
from tests.tasks.hosting import in_loop
from tests.tasks.task_files import problem_in, task_of
from tests.tasks.wire import ask

TRIGGERED = "type: triggered\npipeline: p.yaml\n"
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


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("", 3600), ("max-age=1", 300), ("public, max-age=600", 600), ("max-age=99999999", 86400),
        ("no-store", 300), ("s-maxage=5", 3600), ("max-age=x", 3600),
    ],
)  # fmt: skip
def test_keys_are_kept_as_long_as_the_response_says_within_bounds(
    header: str, seconds: float
) -> None:
    assert keeping_time(header) == seconds


class Provider:
    """Gives out keys; `status` 0 hangs up."""

    def __init__(self, port: int) -> None:
        self.address = f"http://127.0.0.1:{port}/keys"
        self.body = key_set_of("one")
        self.status = 200
        self.asked = 0


@contextmanager
def provider() -> Iterator[Provider]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            here.asked += 1
            if not here.status:
                return
            self.send_response(here.status)
            self.send_header("content-length", str(len(here.body)))
            self.end_headers()
            self.wfile.write(here.body)

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    here = Provider(server.server_address[1])
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield here
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@in_loop
async def test_old_keys_stay_valid_while_their_address_is_away() -> None:
    clock = Clock()
    with provider() as here:
        keys = KeySet(here.address, clock)
        await keys.refreshed()
        assert [key.id for key in keys.keys] == ["one"]
        for status, body in ((500, b""), (0, b""), (302, b""), (200, b"{"), (200, b" " * 70_000)):
            here.status, here.body = status, body
            clock.now += 4000
            await keys.refreshed()
            assert keys.failure
            assert [key.id for key in keys.keys] == ["one"]
        here.status, here.body = 200, key_set_of("two")
        clock.now += 10
        await keys.refreshed()
        assert [key.id for key in keys.keys] == ["two"]
        assert keys.failure == ""


@in_loop
async def test_unknown_keys_make_the_server_ask_once_in_ten_seconds() -> None:
    clock = Clock()
    with provider() as here:
        keys = KeySet(here.address, clock)
        check = JwtCheck(RULES, keys)

        async def status(text: str) -> int:
            found = check(text)
            decision = await found() if callable(found) else found
            return decision.status if isinstance(decision, Reply) else 200

        assert await status(token("one")) == 200
        assert here.asked == 1
        for number in range(20):
            assert await status(unsigned({"alg": "RS256", "kid": f"random {number}"})) == 401
        assert here.asked == 1
        clock.now += 11
        here.body = key_set_of("one", "two")
        assert await status(token("two")) == 200
        assert here.asked == 2
        clock.now += 11
        here.status = 500
        assert await status(token("stranger")) == 503
        assert await status(token("stranger")) == 503
        assert await status(token("two")) == 200
        assert here.asked == 3


@in_loop
async def test_a_silent_address_costs_no_more_than_the_time_limit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    import asyncio

    monkeypatch.setattr(key_set, "FETCH_SECONDS", 0.05)
    connected = asyncio.Event()

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        keys = KeySet(f"http://127.0.0.1:{port}/keys")
        await keys.refreshed()
        assert "no response within" in keys.failure
        assert connected.is_set()


WHO = """
parameters: {tenant: {required: true}, REMOTE_USER: {default: nobody}}
snaps: {who: {snap: Mapper, mappings: {$tenant: _tenant, $user: _REMOTE_USER}}}
"""
ECHO = "snaps: {echo: {snap: Mapper, mappings: {$auth: $auth}}}"
JWT = "  algorithms: [RS256]\n  issuer: me\n  audience: [digits]\n"


def test_claims_reach_the_pipeline_and_nothing_else_sets_them(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(WHO)
    (tmp_path / "e.yaml").write_text(ECHO)
    (tmp_path / "keys.json").write_bytes(key_set_of("one"))
    rules = f"jwt:\n  jwks: keys.json\n{JWT}"
    (tmp_path / "who.yaml").write_text(f"{TRIGGERED}{rules}  parameters: {{tenant: tenant_id}}\n")
    (tmp_path / "echo.yaml").write_text(f"type: ultra\npipeline: e.yaml\n{rules}")
    served = serve("who.yaml", "echo.yaml")

    def call(task: str, text: str) -> Any:
        sent = [("Authorization", f"Bearer {text}"), ("Tenant", "evil")]
        return ask(served.port, "GET", f"/tasks/{task}?tenant=evil", sent)

    assert call("who", token(tenant_id="acme")).json == [{"tenant": "acme", "user": "ada"}]
    refused = call("who", token())
    assert refused.status == 403
    assert "it lacks the claim 'tenant_id'" in refused.json["reason"]
    assert call("who", token(exp=1)).json["error"] == "the token has expired"
    assert call("who", "").status == 401
    big = 2**80
    auth = call("echo", token(n=big, deep={"a": [1.5, None]})).json["auth"]
    assert auth["name"] == "ada"
    assert auth["claims"]["n"] == big
    assert auth["claims"]["deep"] == {"a": [1.5, None]}
    (tmp_path / "keys.json").write_bytes(key_set_of("two"))
    served.wait_for(lambda: call("echo", token("two")).status == 200)
    assert call("echo", token("one")).status == 401


def test_callers_wait_for_keys_that_are_away_and_are_never_let_in(
    serve: Serve, tmp_path: Path
) -> None:
    with provider() as here:
        here.status = 500
        (tmp_path / "e.yaml").write_text(ECHO)
        (tmp_path / "echo.yaml").write_text(
            f"type: ultra\npipeline: e.yaml\njwt:\n  jwks: {here.address}\n{JWT}"
        )
        served = serve("echo.yaml")
        sent = [("Authorization", f"Bearer {token()}")]
        reply = ask(served.port, "POST", "/tasks/echo", sent, b"{}")
        assert reply.status == 503
        assert reply.header("retry-after") == ["10"]
        served.wait_for(lambda: "cannot fetch the keys" in served.stderr)
        assert "the response has the status 500, not 200" in served.stderr


def test_a_parameter_for_a_claim_must_exist(tmp_path: Path) -> None:
    from engine.registry import discover
    from engine.tasks.definition.check import check_task
    from tests.tasks.task_files import written

    rules = f"jwt:\n  jwks: keys.json\n{JWT}  parameters: {{tenannt: t}}\n"
    problems = check_task(written(tmp_path, f"{TRIGGERED}{rules}", WHO), discover())
    assert [problem.code for problem in problems] == ["unknown-parameter"]
    assert problems[0].hint == "did you mean 'tenant'?"
