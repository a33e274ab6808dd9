"""Keys for JSON Web Tokens at an address, which may be away."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from engine.tasks.front import key_set
from engine.tasks.front.jwt_check import JwtCheck
from engine.tasks.front.key_set import KeySet, keeping_time
from engine.tasks.front.reply import Reply
from tests.tasks.conftest import Serve
from tests.tasks.hosting import in_loop
from tests.tasks.jwt_tokens import RULES, key_set_of, token, unsigned
from tests.tasks.wire import ask

TRIGGERED = "type: triggered\npipeline: p.yaml\n"


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

    async def say_nothing(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        await reader.read()
        writer.close()

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        keys = KeySet(f"http://127.0.0.1:{port}/keys")
        await keys.refreshed()
        assert "no response within" in keys.failure


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
