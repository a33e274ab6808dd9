"""Mostly the response; the tests of RESTPost cover the request."""

from __future__ import annotations

import zlib
from typing import Any

import pytest

from engine.documents import Document
from engine.errors import ConfigurationError, DataError, InvalidPipelineError, SnapFailedError
from engine.sdk import HttpResponse
from engine.testing import CannedHttp, SnapRun, run_snap
from tests.http_server import Reply, answering, serving, without_proxies

URL = "http://service/"
JSON = (("Content-Type", "application/json; charset=utf-8"),)


def get(answer: HttpResponse | DataError, **settings: Any) -> SnapRun:
    http = CannedHttp({f"GET {URL}": answer})
    return run_snap("RESTGet", {"service_url": URL, **settings}, on_error="route", http=http)


def entity(answer: HttpResponse, **settings: Any) -> Any:
    return get(answer, **settings).output[0]["entity"]


def error(answer: HttpResponse | DataError, **settings: Any) -> Document:
    (document,) = get(answer, **settings).errors
    assert isinstance(document, dict)
    return document


def test_the_response_is_at_the_root_beside_the_original(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)
    with serving(lambda _: Reply(200, b"[1]", {"Content-Type": "application/json"})) as server:
        (output,) = run_snap("RESTGet", {"service_url": server.url}, [{"id": 1}]).output
        (request,) = server.requests
    assert (request.method, request.body) == ("GET", b"")
    assert output["statusLine"] == {
        "protoVersion": "HTTP/1.1",
        "statusCode": 200,
        "reasonPhrase": "OK",
    }
    assert output["entity"] == [1]
    assert output["headers"]["content-type"] == "application/json"
    assert output["original"] == {"id": 1}


class TestEntity:
    @pytest.mark.parametrize(
        "kind", ["application/json", "Application/JSON; x=1", "application/hal+json"]
    )
    def test_json_is_parsed(self, kind: str) -> None:
        answer = HttpResponse(200, headers=(("Content-Type", kind),), body=b'\xef\xbb\xbf{"a": 1}')
        assert entity(answer) == {"a": 1}

    def test_json_in_another_character_set_is_parsed(self) -> None:
        kind = (("Content-Type", "application/json; charset=iso-8859-1"),)
        assert entity(HttpResponse(200, headers=kind, body=b'"\xe9"')) == "é"

    def test_json_is_left_as_text_if_wanted(self) -> None:
        answer = HttpResponse(200, headers=JSON, body=b'{"a": 1}')
        assert entity(answer, response_entity_type="text") == '{"a": 1}'

    def test_anything_is_bytes_if_wanted(self) -> None:
        answer = HttpResponse(200, headers=JSON, body=b'{"a": 1}')
        assert entity(answer, response_entity_type="binary") == b'{"a": 1}'

    def test_what_is_not_json_is_text_in_its_own_character_set(self) -> None:
        kind = (("Content-Type", 'text/html; charset="ISO-8859-1"'),)
        assert entity(HttpResponse(200, headers=kind, body=b"caf\xe9")) == "café"

    def test_an_empty_response_is_an_empty_text(self) -> None:
        assert entity(HttpResponse(204, "No Content", JSON)) == ""

    def test_invalid_json_is_an_error_that_shows_it(self) -> None:
        document = error(HttpResponse(200, headers=JSON, body=b"<html>no"))
        assert document["error"] == "the response is not the JSON that its content type says"
        assert "<html>no" in document["reason"]
        assert "response_entity_type" in document["resolution"]
        assert (document["status"], document["headers"]["content-type"]) == (200, JSON[0][1])

    def test_invalid_text_is_an_error_that_names_binary(self) -> None:
        document = error(HttpResponse(200, headers=(("Content-Type", "image/png"),), body=b"\x89P"))
        assert "'image/png'" in document["reason"]
        assert "binary" in document["resolution"]

    def test_an_unknown_character_set_is_an_error(self) -> None:
        kind = (("Content-Type", "text/plain; charset=klingon"),)
        assert "klingon" in error(HttpResponse(200, headers=kind, body=b"x"))["reason"]


class TestHeaders:
    ANSWER = HttpResponse(200, headers=(("X-A", "1"), ("x-a", "2"), ("X-B", "3")))

    def test_header_names_are_in_lower_case_and_the_last_value_wins(self) -> None:
        assert get(self.ANSWER).output[0]["headers"] == {"x-a": "2", "x-b": "3"}

    def test_all_header_values_are_returned_if_wanted(self) -> None:
        (output,) = get(self.ANSWER, show_all_headers=True).output
        assert output["headers"] == {"x-a": ["1", "2"], "x-b": "3"}


class TestErrors:
    def test_a_failing_status_comes_with_the_response(self) -> None:
        headers = (("Content-Type", "application/json"), ("X-Id", "7"))
        document = error(HttpResponse(422, "Unprocessable", headers, b'{"why": "no id"}'))
        assert document == {
            "error": f"GET '{URL}' was answered with status 422",
            "reason": '422 Unprocessable: {"why":"no id"}',
            "resolution": document["resolution"],
            "stacktrace": document["stacktrace"],
            "snap_details": {"label": "snap"},
            "status": 422,
            "statusCode": 422,
            "entity": {"why": "no id"},
            "error_entity": '{"why": "no id"}',
            "headers": {"content-type": "application/json", "x-id": "7"},
            "original": {},
        }
        assert "http_entity" in document["resolution"]

    @pytest.mark.parametrize(
        ("status", "advice"),
        [
            (302, "follow_redirects"),
            (401, "credentials"),
            (404, "service_url"),
            (429, "requests_in_flight"),
            (418, "http_entity"),
            (500, "the service's log"),
        ],
    )
    def test_says_what_to_do(self, status: int, advice: str) -> None:
        assert advice in error(HttpResponse(status))["resolution"]

    def test_an_answer_that_cannot_be_read_is_shown_as_far_as_it_can(self) -> None:
        assert error(HttpResponse(500, headers=JSON, body=b"<p>\xff"))["entity"] == "<p>\ufffd"

    def test_no_response_is_an_error_of_the_document(self) -> None:
        document = error(DataError("GET failed", "it is gone", "find it"))
        assert (document["error"], document["reason"]) == ("GET failed", "it is gone")
        assert "status" not in document

    def test_the_pipeline_stops_with_the_reason(self) -> None:
        http = CannedHttp({f"GET {URL}": HttpResponse(503, "Busy", body=b"come\nback")})
        with pytest.raises(SnapFailedError, match="503 Busy: come back"):
            run_snap("RESTGet", {"service_url": URL}, http=http)

    @pytest.mark.parametrize("answers", [{}, {"GET http://ann:top%20secret@h/": HttpResponse(500)}])
    def test_user_and_password_of_the_url_do_not_show(
        self, answers: dict[str, HttpResponse]
    ) -> None:
        settings = {"service_url": "= 'http://ann:' + _pw + '@h/'"}
        http, parameters = CannedHttp(answers), {"pw": "top%20secret"}
        result = run_snap("RESTGet", settings, on_error="route", parameters=parameters, http=http)
        assert http.requests[0].url == "http://ann:top%20secret@h/"
        assert "***@h/" in result.errors[0]["error"]
        assert "secret" not in str(result.errors[0])


class TestUrl:
    @pytest.mark.parametrize(
        ("given", "sent"),
        [
            ("http://h", "http://h/"),
            (" http://h/a b?q=ü#part ", "http://h/a%20b?q=%C3%BC"),
            ("http://h/%7Ea%2Fb?sig=a%2Bb%3D", "http://h/%7Ea%2Fb?sig=a%2Bb%3D"),
            ("http://h/100%?a=5%&b=%zz", "http://h/100%25?a=5%25&b=%25zz"),
            ("http://h/a/./b/../c/..", "http://h/a/"),
            ("http://h/../../a", "http://h/a"),
            ("http://h/a/%2e%2e/b?to=/x/../y", "http://h/a/%2e%2e/b?to=/x/../y"),
            ("HTTP://Host/a//b", "http://Host/a//b"),
            ("http://h?q=1#a?b", "http://h/?q=1"),
            (
                'http://h/日本/{id}|\\^`<>"',
                "http://h/%E6%97%A5%E6%9C%AC/%7Bid%7D%7C%5C%5E%60%3C%3E%22",
            ),
            ("http://h/;a=1/(b)!*'?x[]=1&y=a:b@c/d?e", "http://h/;a=1/(b)!*'?x[]=1&y=a:b@c/d?e"),
            ("http://h/?q=1+1&r=a%20b", "http://h/?q=1+1&r=a%20b"),
            ("https://straße.example/", "https://xn--strae-oqa.example/"),
            ("https://BÜCHER.example/", "https://xn--bcher-kva.example/"),
            ("http://münchen。example/", "http://xn--mnchen-3ya.example/"),
            ("https://bücher.example:8443/", "https://xn--bcher-kva.example:8443/"),
            ("http://[::1]:80/", "http://[::1]:80/"),
            ("http://ann:p@ss@h/", "http://ann:p@ss@h/"),
        ],
    )
    def test_is_encoded_once(self, given: str, sent: str) -> None:
        http = CannedHttp({f"GET {sent}": HttpResponse(200)})
        assert len(run_snap("RESTGet", {"service_url": given}, http=http).output) == 1

    def test_query_parameters_join_the_query_that_is_there(self) -> None:
        sent = "http://h/?a=1&b=x%20%26%20y&c=1&c=true&d=2.5&e=%7B%22f%22%3A1%7D"
        http = CannedHttp({f"GET {sent}": HttpResponse(200)})
        query = {"b": "x & y", "c": "= [1, $t]", "d": 2.5, "gone": "= null", "e": "= {f: 1}"}
        settings = {"service_url": "http://h/?a=1", "query_parameters": query}
        run_snap("RESTGet", settings, [{"t": True}], http=http)
        assert http.requests[0].url == sent

    @pytest.mark.parametrize(
        ("url", "sent"),
        [
            ("http://h/x?sig=a%2Bb%2Fc%3D", "http://h/x?sig=a%2Bb%2Fc%3D&p=1%2B1%20%C3%A9%2520"),
            ("http://h/x?", "http://h/x?p=1%2B1%20%C3%A9%2520"),
            ("http://h/x#part", "http://h/x?p=1%2B1%20%C3%A9%2520"),
        ],
    )
    def test_parameters_are_added_behind_what_is_encoded_already(self, url: str, sent: str) -> None:
        http = CannedHttp({f"GET {sent}": HttpResponse(200)})
        settings = {"service_url": url, "query_parameters": {"p": "1+1 é%20"}}
        assert run_snap("RESTGet", settings, http=http).output

    @pytest.mark.parametrize(
        ("setting", "what"),
        [("query_parameters", "the query parameter 'a'"), ("http_headers", "the header 'a'")],
    )
    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            ("= 0/0", "$ is NaN, which JSON cannot represent"),
            ("= '\\ud83d'", "half of a surrogate"),
        ],
    )
    def test_a_value_that_cannot_be_sent_is_named(
        self, setting: str, what: str, value: str, reason: str
    ) -> None:
        settings = {"service_url": "http://h/", setting: {"a": value}}
        (error,) = run_snap("RESTGet", settings, [{}], on_error="route").errors
        assert error["error"].startswith(f"cannot write {what} as ")
        assert reason in error["reason"]

    def test_a_parameter_may_come_several_times_each_with_its_own_expression(self) -> None:
        query = {"tag": ["new", "= $tag", "= null", "= [$n, 'x y']"], "n": [1]}
        http = CannedHttp(
            {"GET http://h/?tag=new&tag=a%26b&tag=7&tag=x%20y&n=1": HttpResponse(200)}
        )
        settings = {"service_url": "http://h/", "query_parameters": query}
        assert run_snap("RESTGet", settings, [{"tag": "a&b", "n": 7}], http=http).output

    @pytest.mark.parametrize(
        ("url", "message"),
        [
            ("example.com/x", "the scheme is missing"),
            ("file:///etc/passwd", "the scheme 'file' is not supported"),
            ("http:///x", "the host is missing"),
            ("http://h:port/", "the host or port is invalid"),
            ("http://ann:se/cret@h/", "the host or port is invalid"),
            ("http://a b/", "the host or port is invalid"),
        ],
    )
    def test_a_mistake_is_found_before_the_run_or_fails_the_document(
        self, url: str, message: str
    ) -> None:
        with pytest.raises(InvalidPipelineError, match=message) as caught:
            run_snap("RESTGet", {"service_url": url})
        assert "cret" not in caught.value.problems[0].message
        given, http = [{"url": url}], CannedHttp({})
        result = run_snap("RESTGet", {"service_url": "= $url"}, given, on_error="route", http=http)
        (document,) = result.errors
        assert message in document["reason"]
        assert "cret" not in document["error"] + document["stacktrace"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("connection_timeout", 0),
        ("read_timeout", -1),
        ("maximum_request_attempts", 0),
        ("retry_request_interval", -1),
        ("maximum_response_size", -1),
        ("requests_in_flight", 0),
    ],
)
def test_a_number_out_of_range_is_a_mistake(name: str, value: float) -> None:
    with pytest.raises(ConfigurationError, match=name):
        run_snap("RESTGet", {"service_url": URL, name: value})


class TestPackedResponses:
    PACKED = (("Content-Type", "text/plain"), ("Content-Encoding", "deflate"))

    def error_of(self, body: bytes, status: int = 200, **headers: str) -> tuple[Document, int]:
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        with serving(lambda _: Reply(status, body, headers)) as server:
            settings = {"service_url": server.url, "retry_request_interval": 0}
            result = run_snap("RESTGet", settings, [{"id": 1}], on_error="route")
            (document,) = result.errors
            assert isinstance(document, dict)
            return document, len(server.requests)

    @pytest.mark.parametrize("end", [1, 5, 20, -1])
    def test_data_that_ends_early_fails_the_document_once(
        self, monkeypatch: pytest.MonkeyPatch, end: int
    ) -> None:
        without_proxies(monkeypatch)
        body = zlib.compress(b"to be, or not to be" * 3)[:end]
        document, requests = self.error_of(body, Content_Encoding="deflate")
        assert document["error"] == "the response cannot be decompressed"
        assert "the deflate data is truncated" in document["reason"]
        assert "Accept-Encoding" in document["resolution"]
        assert (document["status"], document["statusCode"]) == (200, 200)
        assert document["entity"] == body
        assert isinstance(document["error_entity"], str)
        assert document["headers"]["content-encoding"] == "deflate"
        assert document["original"] == {"id": 1}
        assert requests == 1

    def test_an_answer_that_fails_keeps_its_status_and_its_entity(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        without_proxies(monkeypatch)
        document, requests = self.error_of(b"gone", 410, Content_Encoding="gzip")
        assert document["error"].endswith("was answered with status 410")
        assert "410 Gone; its entity cannot be decompressed" in document["reason"]
        assert (document["entity"], document["error_entity"]) == (b"gone", "gone")
        assert requests == 1


class TestErrorDocuments:
    def test_invalid_json_keeps_status_and_entity(self) -> None:
        document = error(HttpResponse(200, headers=JSON, body=b"<p>no</p>"))
        assert (document["statusCode"], document["error_entity"]) == (200, "<p>no</p>")
        assert document["entity"] == "<p>no</p>"

    def test_the_entity_is_given_parsed_and_as_text(self) -> None:
        kind = (("Content-Type", "application/json; charset=iso-8859-1"),)
        document = error(HttpResponse(400, headers=kind, body=b'{"why": "\xe9"}'))
        assert document["entity"] == {"why": "é"}
        assert document["error_entity"] == '{"why": "é"}'

    def test_an_entity_of_bytes_also_has_a_text(self) -> None:
        document = error(HttpResponse(500, body=b"a\xff"), response_entity_type="binary")
        assert (document["entity"], document["error_entity"]) == (b"a\xff", "a\ufffd")

    def test_without_an_answer_there_is_neither_status_nor_entity(self) -> None:
        document = error(DataError("GET failed", "it is gone"))
        assert not {"status", "statusCode", "entity", "error_entity"} & document.keys()


class TestHeaderBytes:
    @pytest.mark.parametrize("value", [b"caf\xe9", b"caf\xc3\xa9"])
    def test_of_either_charset_are_read(
        self, monkeypatch: pytest.MonkeyPatch, value: bytes
    ) -> None:
        without_proxies(monkeypatch)
        head = b"HTTP/1.1 200 D\xe9j\xe0 vu\r\nX-Name: " + value + b"\r\nContent-Length: 0\r\n\r\n"
        with answering(head) as url:
            (output,) = run_snap("RESTGet", {"service_url": url}).output
        assert output["headers"]["x-name"] == "café"
        assert output["statusLine"]["reasonPhrase"] == "Déjà vu"
