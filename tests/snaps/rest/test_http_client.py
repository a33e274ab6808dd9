from __future__ import annotations

import json
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import ConfigurationError, SnapFailedError
from engine.sdk import BearerAccount, HttpResponse
from engine.testing import CannedHttp, run_snap
from tests.http_server import Received, Reply, serving, without_proxies

URL = "http://service/x"
JSON = (("Content-Type", "application/json"),)


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


def call(given: Any = None, **settings: Any) -> Any:
    """The requests that a real server got, and what the snap emitted."""
    with serving(lambda _: Reply(200, b'{"ok": true}', {"Content-Type": "application/json"})) as at:
        run = run_snap("HTTPClient", {"service_url": at.url, **settings}, given or [{}])
        return at.requests, run


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
def test_the_method_is_that_of_the_setting(method: str) -> None:
    (request,), run = call(request_method=method)
    assert (request.method, request.body) == (method, b"")
    assert run.output[0]["entity"] == {"ok": True}


def test_the_method_may_come_from_the_document() -> None:
    given = [{"how": "put"}, {"how": "delete"}]
    requests, _ = call(given, request_method="= $how", requests_in_flight=1)
    assert [request.method for request in requests] == ["PUT", "DELETE"]


def test_a_raw_entity_is_json_text_or_bytes() -> None:
    given = [{"a": {"n": 1}}, {"a": "text"}]
    requests, _ = call(
        given,
        request_method="POST",
        http_entity_type="raw",
        http_entity="$a",
        requests_in_flight=1,
    )
    assert [(request.body, request.headers["content-type"]) for request in requests] == [
        (b'{"n":1}', "application/json"),
        (b"text", "text/plain; charset=utf-8"),
    ]


def test_a_form_is_url_encoded() -> None:
    (request,), _ = call(
        [{"q": "a b&c", "n": [1]}],
        request_method="POST",
        http_entity_type="x_www_form_urlencoded",
        form={"q": "= $q", "n": "= $n", "fixed": "é"},
    )
    assert request.body == b"q=a+b%26c&n=%5B1%5D&fixed=%C3%A9"
    assert request.headers["content-type"] == "application/x-www-form-urlencoded"


def test_a_multipart_form_has_fields_and_files_and_a_boundary_of_its_own(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"content\r\n--")
    parts = [{"key": 'na"me', "value": "= $v"}, {"key": "f", "file": "a.txt"}]
    (tmp_path / "p.yaml").write_text(
        json.dumps(
            {
                "snaps": {
                    "send": {
                        "snap": "HTTPClient",
                        "service_url": "= $url",
                        "request_method": "POST",
                        "http_headers": {"Content-Type": "multipart/form-data"},
                        "http_entity_type": "form_data",
                        "multipart_form": parts,
                    }
                }
            }
        )
    )
    with serving(lambda _: Reply(200, b"")) as server:
        api.run(tmp_path / "p.yaml", inputs={"send": [{"url": server.url, "v": {"a": 1}}]})
        (request,) = server.requests
    kind, _, boundary = request.headers["content-type"].partition("; boundary=")
    assert kind == "multipart/form-data"
    assert request.body.split(f"--{boundary}".encode()) == [
        b"",
        b'\r\nContent-Disposition: form-data; name="na%22me"\r\n\r\n{"a":1}\r\n',
        b'\r\nContent-Disposition: form-data; name="f"; filename="a.txt"\r\n'
        b"Content-Type: text/plain\r\n\r\ncontent\r\n--\r\n",
        b"--\r\n",
    ]


def test_a_file_is_sent_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "a.bin").write_bytes(b"\0\1")
    with serving(lambda _: Reply(200, b"")) as server:
        run_snap(
            "HTTPClient",
            {
                "service_url": server.url,
                "request_method": "PUT",
                "http_entity_type": "binary",
                "binary_file": "a.bin",
            },
            [{}],
            project=tmp_path,
        )
        assert server.requests[0].body == b"\0\1"


def test_the_entity_or_a_part_of_it_is_the_document() -> None:
    http = CannedHttp({f"GET {URL}": HttpResponse(200, "OK", JSON, b'{"a": {"b": [{"n": 1}]}}')})
    settings = {"service_url": URL, "extract_entity": True}
    assert run_snap("HTTPClient", settings, [{}], http=http).output == [{"a": {"b": [{"n": 1}]}}]
    settings["extract_entity_path"] = "$.entity.a.b"
    assert run_snap("HTTPClient", settings, [{}], http=http).output == [{"n": 1}]
    settings["extract_entity_path"] = "$.entity.a.b[0].n"
    with pytest.raises(SnapFailedError, match=r"there is a int, but a document must be a map"):
        run_snap("HTTPClient", settings, [{}], http=http)


def test_an_error_response_fails_the_document_unless_it_is_wanted() -> None:
    http = CannedHttp({f"GET {URL}": HttpResponse(404, "Not Found", JSON, b'{"why": "gone"}')})
    run = run_snap("HTTPClient", {"service_url": URL}, [{"n": 1}], http=http, on_error="route")
    assert (run.errors[0]["statusCode"], run.errors[0]["original"]) == (404, {"n": 1})
    settings = {"service_url": URL, "error_responses_to_error_view": False}
    (output,) = run_snap("HTTPClient", settings, [{}], http=http).output
    assert (output["statusLine"]["statusCode"], output["entity"]) == (404, {"why": "gone"})


def next_of(replies: list[Reply], _: Received) -> Reply:
    return replies.pop(0)


def test_a_busy_server_is_asked_again() -> None:
    busy = Reply(429, b"", {"Retry-After": "0"})
    for retry, expected in ((True, [200]), (False, [])):
        replies = [busy, Reply(200, b"done")]
        with serving(partial(next_of, replies)) as server:
            settings = {"service_url": server.url, "retry_busy": retry}
            run = run_snap("HTTPClient", settings, [{}], on_error="route")
        assert [each["statusLine"]["statusCode"] for each in run.output] == expected
        assert len(run.errors) == 1 - len(expected)


def page(number: int, following: str | None) -> HttpResponse:
    return HttpResponse(200, "OK", JSON, json.dumps({"n": number, "next": following}).encode())


PAGES = {"has_next": "$entity.next != null", "next_url": "$entity.next"}


@pytest.mark.parametrize("snap", ["HTTPClient", "RESTGet"])
def test_pages_follow_each_other_each_a_document(snap: str) -> None:
    http = CannedHttp(
        {
            "GET http://service/x": page(1, "?p=2"),
            "GET http://service/x?p=2": page(2, "http://service/y"),
            "GET http://service/y": page(3, None),
            "GET http://service/z": page(9, None),
        }
    )
    given = [{"at": "x"}, {"at": "z"}]
    settings = {"service_url": "= 'http://service/' + $at", **PAGES}
    output = run_snap(snap, settings, given, http=http).output
    assert [(each["entity"]["n"], each["original"]["at"]) for each in output] == [
        (1, "x"),
        (2, "x"),
        (3, "x"),
        (9, "z"),
    ]


def test_a_page_that_fails_fails_its_document_after_the_pages_before_it() -> None:
    http = CannedHttp({f"GET {URL}": page(1, "/gone"), "GET http://service/gone": page(0, None)})
    http = CannedHttp(
        {f"GET {URL}": page(1, "/gone"), "GET http://service/gone": HttpResponse(500, "Broken")}
    )
    run = run_snap("RESTGet", {"service_url": URL, **PAGES}, [{}], http=http, on_error="route")
    assert [each["entity"]["n"] for each in run.output] == [1]
    assert run.errors[0]["error"] == "GET 'http://service/gone' was answered with status 500"


def test_there_are_at_most_as_many_pages_as_wanted() -> None:
    http = CannedHttp({f"GET {URL}": page(1, "?p=2"), f"GET {URL}?p=2": page(2, "?p=3")})
    settings = {"service_url": URL, "maximum_pages": 2, **PAGES}
    assert len(run_snap("HTTPClient", settings, [{}], http=http).output) == 2


@pytest.mark.parametrize(
    ("following", "said"),
    [("/x", "it has the address of this one"), ("", "next_url must return an address")],
)
def test_pages_without_end_are_an_error(following: str, said: str) -> None:
    http = CannedHttp({f"GET {URL}": page(1, following)})
    with pytest.raises(SnapFailedError, match=said):
        run_snap("RESTGet", {"service_url": URL, **PAGES}, [{}], http=http)


def test_credentials_are_not_sent_to_the_server_of_another_page() -> None:
    reply = {"Content-Type": "application/json"}
    with serving(lambda _: Reply(200, b'{"next": null}', reply)) as other:
        body = json.dumps({"next": other.url}).encode()
        with serving(lambda _: Reply(200, body, reply)) as first:
            settings = {
                "service_url": first.url,
                "account": "crm",
                "http_headers": {"Cookie": "c=1", "X-Own": "1"},
                **PAGES,
            }
            accounts = {"crm": BearerAccount(token="swordfish-42")}
            run_snap("HTTPClient", settings, [{}], accounts=accounts)
            assert first.requests[0].headers["authorization"] == "Bearer swordfish-42"
        headers = other.requests[0].headers
    assert "authorization" not in headers
    assert "cookie" not in headers
    assert headers["x-own"] == "1"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"request_method": "FETCH"}, "'FETCH' is not a method"),
        ({"has_next": "true"}, "'next_url' is missing"),
        ({"maximum_pages": 0}, "maximum_pages must be at least 1"),
        ({"http_entity_type": "form_data"}, "sends 'multipart_form', which is empty"),
        ({"multipart_form": [{"key": "a"}]}, "the part 'a' needs either value or file"),
        ({"pagination_interval": -1}, "pagination_interval must be 0 or more"),
    ],
)
def test_mistakes_are_found_when_checking(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        run_snap("HTTPClient", {"service_url": URL, **settings}, [])
