"""Whose word counts about where a request comes from: that of trusted proxies."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from engine.tasks.front.head import Head
from engine.tasks.front.proxies import TrustedProxies, parse_network
from engine.tasks.front.reply import Reply
from tests.tasks.conftest import Serve
from tests.tasks.wire import ask

PROXIES = TrustedProxies([parse_network("10.0.0.0/8"), parse_network("fd00::/8")])
FOR, PROTO, HOST = "x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"


def seen(*headers: tuple[str, str], peer: str = "10.0.0.1:4711") -> tuple[str, str, str]:
    """Address with port, scheme and host."""
    head = PROXIES.original(Head("GET", "/", "", list(headers), peer, host="here"))
    assert isinstance(head, Head)
    return head.client, head.scheme, head.host


@pytest.mark.parametrize("peer", ["192.0.2.1:1", "11.0.0.1:1", "::1:1", "", "fe80::1%eth0:1"])
def test_others_are_not_believed(peer: str) -> None:
    headers = [(FOR, "1.2.3.4"), (PROTO, "https"), (HOST, "x"), ("forwarded", "for=5.6.7.8")]
    assert seen(*headers, peer=peer) == (peer, "", "here")


@pytest.mark.parametrize(
    ("said", "client"),
    [
        (["1.2.3.4"], "1.2.3.4:"),
        (["1.2.3.4:99"], "1.2.3.4:99"),
        (["evil, 9.9.9.9, 1.2.3.4"], "1.2.3.4:"),
        (["127.0.0.1, 1.2.3.4, 10.2.0.1, 10.3.0.1"], "1.2.3.4:"),
        (["9.9.9.9", "1.2.3.4, 10.2.0.1"], "1.2.3.4:"),
        (["10.1.1.1, 10.2.2.2"], "10.1.1.1:"),
        (["1.2.3.4, unknown, 10.2.2.2"], "10.2.2.2:"),
        (["unknown"], "10.0.0.1:4711"),
        ([""], "10.0.0.1:4711"),
        (["1.2.3.4,"], "10.0.0.1:4711"),
        (["2001:db8::7"], "2001:db8::7:"),
        (["[2001:db8::7]:99"], "2001:db8::7:99"),
        (["1.2.3.4, fd00::5"], "1.2.3.4:"),
        (["1.2.3.4, ::ffff:10.0.0.9"], "1.2.3.4:"),
        (["x" * 60_000], "10.0.0.1:4711"),
    ],
)
def test_the_first_from_the_right_that_is_no_trusted_proxy_is_the_caller(
    said: list[str], client: str
) -> None:
    assert seen(*((FOR, value) for value in said))[0] == client


def test_a_proxy_may_be_reached_by_ipv6_or_a_mapped_address() -> None:
    for peer in ("fd00::1:4711", "::ffff:10.0.0.1:4711"):
        assert seen((FOR, "1.2.3.4"), peer=peer)[0] == "1.2.3.4:"


@pytest.mark.parametrize(
    ("headers", "scheme", "host"),
    [
        ([(PROTO, "https"), (HOST, "Shop.example:443")], "https", "shop.example"),
        ([(FOR, "1.2.3.4"), (PROTO, "http, https")], "https", "here"),
        ([(FOR, "1.2.3.4, 10.0.0.2"), (PROTO, "https, http")], "https", "here"),
        ([(FOR, "9.9.9.9, 1.2.3.4, 10.0.0.2"), (PROTO, "ftp, https, http")], "https", "here"),
        ([(FOR, "1.2.3.4, 10.0.0.2"), (PROTO, "https")], "https", "here"),
        ([(PROTO, "javascript"), (HOST, "a b")], "", "here"),
        ([(PROTO, ""), (HOST, "")], "", "here"),
    ],
)
def test_scheme_and_host_are_those_of_the_same_hop(
    headers: list[tuple[str, str]], scheme: str, host: str
) -> None:
    assert seen(*headers)[1:] == (scheme, host)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("for=1.2.3.4;proto=https;host=shop.example", ("1.2.3.4:", "https", "shop.example")),
        ('For="[2001:db8::7]:99" ; Proto=HTTPS', ("2001:db8::7:99", "https", "here")),
        ("for=9.9.9.9;proto=ftp, for=1.2.3.4;proto=https, for=10.0.0.2;proto=http",
         ("1.2.3.4:", "https", "here")),
        ('for="a,b;c=\\"d\\"", for=1.2.3.4', ("1.2.3.4:", "", "here")),
        ("for=_hidden;proto=https", ("10.0.0.1:4711", "https", "here")),
        ("for=", ("10.0.0.1:4711", "", "here")),
        ('for="1.2.3.4', ("10.0.0.1:4711", "", "here")),
        (";;,,", ("10.0.0.1:4711", "", "here")),
    ],
)  # fmt: skip
def test_the_header_forwarded_says_the_same_in_one(
    text: str, expected: tuple[str, str, str]
) -> None:
    assert seen(("forwarded", text)) == expected


def test_two_headers_that_disagree_are_refused() -> None:
    """Otherwise a caller could write the one that its proxy does not set."""
    headers = [(FOR, "1.2.3.4"), ("forwarded", "for=6.6.6.6")]
    reply = PROXIES.original(Head("GET", "/", "", headers, "10.0.0.1:1"))
    assert isinstance(reply, Reply)
    assert reply.status == 400
    assert b"Forwarded and X-Forwarded-For disagree" in bytes(reply.body)  # type: ignore[arg-type]
    assert seen((FOR, "1.2.3.4"), ("forwarded", "for=1.2.3.4"))[0] == "1.2.3.4:"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("10.0.0.1/8", "did you mean 10.0.0.0/8?"),
        ("proxy.example", "write an address or a network such as 10.0.0.0/8"),
        ("", "write an address or a network"),
    ],
)
def test_what_is_no_network_is_named(
    text: str, message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["serve", "echo.yaml", "--trust-proxy", text]) == 2
    said = capsys.readouterr().err
    assert "--trust-proxy:" in said
    assert message in said


def test_rate_limits_pipelines_and_the_access_log_see_the_caller(
    serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "who.yaml").write_text(
        "parameters: {REMOTE_ADDR: {default: ''}}\n"
        "snaps: {who: {snap: Mapper, mappings: {$who: _REMOTE_ADDR}}}\n"
    )
    (tmp_path / "task.yaml").write_text(
        "type: triggered\npipeline: who.yaml\nlimits: {rate_per_address: 1/h}\n"
    )
    log = tmp_path / "access.log"
    trusting = serve("task.yaml", "--trust-proxy", "127.0.0.1", "--access-log", log)
    plain = serve("task.yaml")

    def call(port: int, said: str) -> tuple[int, str]:
        answer = ask(port, "GET", "/tasks/task", [("X-Forwarded-For", said)])
        return answer.status, answer.json[0]["who"] if answer.status == 200 else ""

    assert call(trusting.port, "6.6.6.6, 1.2.3.4") == (200, "1.2.3.4")
    assert call(trusting.port, "5.5.5.5, 1.2.3.4")[0] == 429
    assert call(trusting.port, "1.2.3.5") == (200, "1.2.3.5")
    assert call(trusting.port, "::ffff:1.2.3.5")[0] == 429
    assert call(trusting.port, "2001:db8::7") == (200, "2001:db8::7")
    assert call(trusting.port, "2001:db8::a:b")[0] == 429
    assert call(trusting.port, "2001:db8:0:1::7") == (200, "2001:db8:0:1::7")
    assert [call(trusting.port, f"fe80::{number}")[0] for number in (1, 2, 1)] == [200, 200, 429]
    trusting.wait_for(lambda: "1.2.3.5" in log.read_text())
    assert "1.2.3.4" in log.read_text()
    assert "6.6.6.6" not in log.read_text()
    assert call(plain.port, "1.2.3.4") == (200, "127.0.0.1")
    assert call(plain.port, "1.2.3.5")[0] == 429


def test_the_json_access_log_has_scheme_and_host_of_the_caller(
    serve: Serve, tmp_path: Path
) -> None:
    (tmp_path / "echo.yaml").write_text("snaps: {a: {snap: Mapper, mappings: {$a: $b}}}")
    log = tmp_path / "access.log"
    options = ["--trust-proxy", "127.0.0.1", "--access-log", log, "--log-format", "json"]
    served = serve("echo.yaml", *options, "--allow-host", "shop.example")
    said = [("X-Forwarded-Proto", "https"), ("X-Forwarded-Host", "shop.example")]
    assert ask(served.port, "GET", "/readyz?proxied", said).status == 200
    assert ask(served.port, "GET", "/readyz?plain").status == 200
    assert ask(served.port, "GET", "/readyz?other", [(said[1][0], "evil.example")]).status == 421

    def entries() -> dict[str, Any]:
        found = [json.loads(line) for line in log.read_text().splitlines()]
        return {each["path"].partition("?")[2]: each for each in found}

    served.wait_for(lambda: {"proxied", "plain"} <= entries().keys())
    shown = {name: (each["scheme"], each["host"]) for name, each in entries().items() if name}
    assert shown["proxied"] == ("https", "shop.example")
    assert shown["plain"] == ("http", "localhost")
