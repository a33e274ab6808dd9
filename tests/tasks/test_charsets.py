"""Requests and answers of hosted tasks in charsets other than UTF-8, and what cannot be read."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.tasks.conftest import Served, servers
from tests.tasks.wire import Answer, ask

ECHO = "pipeline: Echo\nsnaps:\n  echo: {snap: Mapper, mappings: {$content: $}}\n"
ANSWER = """
pipeline: Answer
snaps:
  answer:
    snap: Mapper
    null_safe_access: true
    mappings:
      $content: $content.text
      $['content-type']: $content.type
      $['x-name']: $content.name
"""
RUN = """
pipeline: Run
parameters: {name: {default: nobody}, PATH_INFO: {}}
snaps:
  run: {snap: Mapper, pass_through: true, mappings: {$name: _name, $path: _PATH_INFO}}
"""
JSON = ("Content-Type", "application/json")
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("charsets")
    (folder / "echo.yaml").write_text(ECHO)
    (folder / "answer.yaml").write_text(ANSWER)
    (folder / "run.yaml").write_text(RUN)
    (folder / "run.task.yaml").write_text("name: run\ntype: triggered\npipeline: run.yaml\n")
    with servers(folder) as start:
        yield start("echo.yaml", "answer.yaml", "run.task.yaml")


def raw(data: bytes) -> str:
    """Bytes for the head of a request, which the test kit writes as Latin-1."""
    return data.decode("latin-1")


def answer(served: Served, body: bytes) -> Answer:
    return ask(served.port, "POST", "/tasks/answer", [JSON], body)


@pytest.mark.parametrize("name", [b"caf\xe9", b"caf\xc3\xa9"])
def test_headers_are_read_in_either_charset(served: Served, name: bytes) -> None:
    headers = [("X-Name", raw(name)), ("X-Tag", raw(name)), ("X-Tag", "b"), ("Cookie", raw(name))]
    document = ask(served.port, "GET", "/tasks/echo", headers).json
    assert (document["x-name"], document["cookie"]) == ("café", "café")
    assert document["x-tag"] == "café, b"


def test_blanks_around_a_header_are_no_part_of_it(served: Served) -> None:
    headers = [("X-Name", " \ta \tb\t "), ("X-Tag", "\t")]
    document = ask(served.port, "GET", "/tasks/echo", headers).json
    assert (document["x-name"], document["x-tag"]) == ("a \tb", "")


def test_headers_of_an_answer_are_utf_8(served: Served) -> None:
    reply = answer(served, '{"text": 1, "name": ["é", "€"]}'.encode())
    assert reply.header("x-name") == [raw("é".encode()), raw("€".encode())]


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("text/plain; charset=ISO-8859-1", b"caf\xe9"),
        ("text/plain; charset=Shift_JIS", b"caf\x83\xbf"),
        ("text/plain", "café".encode()),
        ("application/x-ndjson", "café".encode()),
        ("application/json; charset=latin1", b'"caf\xe9"'),
    ],
)
def test_an_answer_is_written_in_the_charset_of_its_content_type(
    served: Served, content_type: str, body: bytes
) -> None:
    text = "cafα" if "JIS" in content_type else "café"
    reply = answer(served, f'{{"text": "{text}", "type": "{content_type}"}}'.encode())
    assert (reply.status, reply.body) == (200, body)
    assert reply.header("content-type") == [content_type]


@pytest.mark.parametrize(
    ("text", "charset", "reason"),
    [
        ("3 €", "iso-8859-1", "the character '€' (U+20AC) at offset 2"),
        ("x", "klingon", "the charset 'klingon' is not known"),
    ],
)
def test_an_answer_that_its_charset_does_not_have_is_an_error(
    served: Served, text: str, charset: str, reason: str
) -> None:
    body = f'{{"text": "{text}", "type": "text/plain; charset={charset}"}}'
    reply = answer(served, body.encode())
    assert reply.status == 500
    assert reply.json["error"] == "the response cannot be sent"
    assert reason in reply.json["reason"]


def test_a_form_is_read_in_its_charset(served: Served) -> None:
    headers = [("Content-Type", f"{FORM}; charset=ISO_8859-1")]
    reply = ask(served.port, "POST", "/tasks/echo", headers, b"a=%E9&b=\xe9+%e8&a=x&%E9=1")
    assert reply.json["content"] == {"a": ["é", "x"], "b": "é è", "é": "1"}


@pytest.mark.parametrize("task", ["echo", "run"])
def test_a_form_that_is_not_in_its_charset_is_refused(served: Served, task: str) -> None:
    reply = ask(served.port, "POST", f"/tasks/{task}", [("Content-Type", FORM)], b"a=1&b=%E9")
    assert reply.status == 400
    assert reply.json == {
        "request_id": reply.header("x-request-id")[0],
        "error": "the body of the request cannot be read",
        "reason": "the form is not valid utf-8: unexpected end of data at byte 0",
        "resolution": "send UTF-8, or name the charset in the Content-Type header",
    }


def test_a_query_is_utf_8_or_in_the_charset_that_is_named(served: Served) -> None:
    named = [("Content-Type", "text/plain; charset=iso-8859-1")]
    for path, headers in (("a=%C3%A9", []), ("a=%C3%A9", named), ("a=%E9", named)):
        reply = ask(served.port, "GET", f"/tasks/echo?{path}", headers)
        assert reply.json["query"] == {"a": ["é"]}
    reply = ask(served.port, "GET", "/tasks/run?name=%E9", named)
    assert reply.json[0]["name"] == "é"


@pytest.mark.parametrize("task", ["echo", "run"])
def test_a_query_that_is_neither_is_refused(served: Served, task: str) -> None:
    reply = ask(served.port, "GET", f"/tasks/{task}?name=%E9")
    assert reply.status == 400
    assert reply.json["error"] == "the query of the request cannot be read"
    assert "is not valid utf-8" in reply.json["reason"]


@pytest.mark.parametrize("task", ["echo", "run"])
def test_a_path_that_is_not_utf_8_is_refused(served: Served, task: str) -> None:
    reply = ask(served.port, "GET", f"/tasks/{task}/caf%E9")
    assert reply.status == 400
    assert reply.json["error"] == "the path of the request cannot be read"


def test_a_path_is_decoded(served: Served) -> None:
    assert ask(served.port, "GET", "/tasks/echo/caf%C3%A9").json["path_info"] == "/café"
    assert ask(served.port, "GET", "/tasks/run/caf%C3%A9").json[0]["path"] == "/café"


# A body that is empty


@pytest.mark.parametrize("task", ["echo", "run"])
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH"])
@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "application/hal+json"])
def test_an_empty_body_that_announces_json_is_refused(
    served: Served, task: str, method: str, kind: str
) -> None:
    reply = ask(served.port, method, f"/tasks/{task}", [("Content-Type", kind)], b"")
    assert reply.status == 400
    assert reply.json["error"] == "the body of the request cannot be read"
    assert reply.json["reason"].startswith("it is empty, but its content type")
    assert "null" in reply.json["resolution"]


@pytest.mark.parametrize("task", ["echo", "run"])
def test_a_request_without_a_body_is_fine_otherwise(served: Served, task: str) -> None:
    for method, headers in (("GET", [JSON]), ("DELETE", [JSON]), ("POST", [])):
        reply = ask(served.port, method, f"/tasks/{task}", headers, b"")
        assert reply.status == 200
        assert "content" not in (reply.json if task == "echo" else reply.json[0])
    reply = ask(served.port, "POST", "/tasks/echo", [JSON], b"null")
    assert reply.json["content"] is None
