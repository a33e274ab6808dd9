"""The request, the order of documents, and endings; the tests of RESTGet cover the response."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.documents import Batch, Item
from engine.errors import ConfigurationError, ExecutionError, SnapFailedError
from engine.registry import discover
from engine.run.execution import Execution
from engine.run.host import StageHost
from engine.run.identity import identify
from engine.run.services import Services
from engine.script.executor import Executor
from engine.sdk import HttpRequest, HttpResponse
from engine.testing import CannedHttp, run_snap
from tests.http_server import Received, Reply, Silence, serving, without_proxies

URL = "http://service/"


@pytest.fixture(autouse=True)
def no_proxy_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    without_proxies(monkeypatch)


def sent(document: dict[str, Any], **settings: Any) -> HttpRequest:
    http = CannedHttp({f"POST {URL}": HttpResponse(200)})
    run_snap("RESTPost", {"service_url": URL, **settings}, [document], http=http)
    (request,) = http.requests
    return request


class TestWhatIsSent:
    @pytest.mark.parametrize(
        ("entity", "body", "kind"),
        [
            (None, b'{"a":[1,null]}', "application/json"),
            ("$a", b"[1,null]", "application/json"),
            ("'text é'", "text é".encode(), "text/plain; charset=utf-8"),
            ("Date.parse('2026-01-02')", b'"2026-01-02T00:00:00.000Z"', "application/json"),
            ("null", b"null", "application/json"),
        ],
    )
    def test_the_entity_has_the_type_that_it_is(
        self, entity: str | None, body: bytes, kind: str
    ) -> None:
        settings = {} if entity is None else {"http_entity": entity}
        request = sent({"a": [1, None]}, **settings)
        assert request.body == body
        assert request.headers == (("Content-Type", kind),)

    def test_bytes_are_sent_as_they_are(self) -> None:
        request = sent({"content": b"\x00\xff"}, http_entity="$content")
        assert request.body == b"\x00\xff"
        assert request.headers == (("Content-Type", "application/octet-stream"),)

    def test_a_content_type_that_is_given_stays(self) -> None:
        request = sent({}, http_headers={"content-type": "application/vnd.x+json"})
        assert request.headers == (("content-type", "application/vnd.x+json"),)

    def test_headers_are_strings_and_null_omits_one(self) -> None:
        headers = {"X-Id": "= $id", "X-Flag": True, "X-None": "= null"}
        request = sent({"id": 7}, http_headers=headers)
        assert request.headers[:-1] == (("X-Id", "7"), ("X-Flag", "true"))

    def test_a_list_gives_a_header_several_times(self) -> None:
        headers = {"X-Tag": ["= $tag", 2, "= null"], "X-None": []}
        request = sent({"tag": ["a", "é€"]}, http_headers=headers)
        assert request.headers[:-1] == (("X-Tag", "a"), ("X-Tag", "é€"), ("X-Tag", "2"))

    def test_a_header_arrives_as_utf_8(self) -> None:
        with serving(lambda _: Reply(200)) as server:
            settings = {"service_url": server.url, "http_headers": {"X-Name": "= $name"}}
            run_snap("RESTPost", settings, [{"name": "é€"}])
            (request,) = server.requests
        assert request.headers["x-name"].encode("latin-1") == "é€".encode()

    @pytest.mark.parametrize(
        ("content_type", "entity", "body"),
        [
            ("text/plain; charset=ISO-8859-1", "'café'", b"caf\xe9"),
            ('text/plain; charset="koi8-r"', "'да'", b"\xc4\xc1"),
            ("text/plain; Charset=UTF-16LE", "'a'", b"a\0"),
            ("text/csv; header=present", "'é'", "é".encode()),
            ("application/json; charset=iso-8859-1", "{a: 'é'}", b'{"a":"\xe9"}'),
            ("application/json; charset=utf-8", "{a: 'é'}", '{"a":"é"}'.encode()),
            ("text/plain; charset=klingon", "$bytes", b"\xff"),
        ],
    )
    def test_text_is_written_in_the_charset_of_its_content_type(
        self, content_type: str, entity: str, body: bytes
    ) -> None:
        headers = {"Content-Type": content_type}
        request = sent({"bytes": b"\xff"}, http_headers=headers, http_entity=entity)
        assert (request.body, request.headers) == (body, (("Content-Type", content_type),))

    @pytest.mark.parametrize(
        ("content_type", "reason"),
        [
            ("text/plain; charset=iso-8859-1", r"the character '€' \(U\+20AC\) at offset 2"),
            ("text/plain; charset=klingon", "the charset 'klingon' is not known"),
        ],
    )
    def test_text_that_its_charset_does_not_have_is_an_error(
        self, content_type: str, reason: str
    ) -> None:
        settings = {
            "service_url": URL,
            "http_headers": {"Content-Type": content_type},
            "http_entity": "'3 €'",
        }
        http = CannedHttp({})
        with pytest.raises(SnapFailedError, match=reason):
            run_snap("RESTPost", settings, http=http)
        assert http.requests == []

    def test_a_header_cannot_smuggle_in_another(self) -> None:
        http = CannedHttp({})
        settings = {"service_url": URL, "http_headers": {"X-Id": "= $id"}}
        given = [{"id": "1\r\nX-Admin: true"}]
        result = run_snap("RESTPost", settings, given, on_error="route", http=http)
        assert http.requests == []
        assert "line break" in result.errors[0]["reason"]

    @pytest.mark.parametrize("name", ["X Id", "", "Content-Length", "Transfer-Encoding"])
    def test_a_header_that_cannot_be_set_is_a_mistake(self, name: str) -> None:
        with pytest.raises(ConfigurationError, match="header"):
            run_snap("RESTPost", {"service_url": URL, "http_headers": {name: "1"}})

    def test_an_infinite_number_is_an_error(self) -> None:
        settings = {"service_url": URL}
        given: list[Item] = [{"n": float("nan")}, {"n": [None]}]
        http = CannedHttp({f"POST {URL}": HttpResponse(200)})
        result = run_snap("RESTPost", settings, given, on_error="route", http=http)
        assert "NaN" in result.errors[0]["reason"]
        assert len(result.output) == 1

    def test_settings_go_with_the_request(self) -> None:
        options = sent(
            {},
            connection_timeout=1,
            read_timeout=2,
            maximum_request_attempts=3,
            retry_request_interval=4,
            retry_policy="all",
            follow_redirects=False,
            trust_all_certificates=True,
            maximum_response_size=5,
        ).options
        assert (options.connection_timeout, options.read_timeout) == (1, 2)
        assert (options.attempts, options.retry_interval, options.retry_policy) == (3, 4, "all")
        assert (options.follow_redirects, options.trust_all_certificates) == (False, True)
        assert options.largest_response == 5


def test_an_unlinked_snap_sends_one_empty_document() -> None:
    http = CannedHttp({f"POST {URL}": HttpResponse(200)})
    result = run_snap("RESTPost", {"service_url": URL}, http=http)
    assert http.requests[0].body == b"{}"
    assert result.output[0]["original"] == {}


def test_answers_come_in_the_order_of_the_documents_each_with_its_own() -> None:
    others = threading.Event()

    def first_comes_last(request: Received) -> Reply:
        if request.body == b"0":
            assert others.wait(240)
        elif request.body == b"3":
            others.set()
        return Reply(200, b"answer to " + request.body)

    with serving(first_comes_last) as server:
        settings = {"service_url": server.url, "http_entity": "$n", "requests_in_flight": 4}
        output = run_snap("RESTPost", settings, [{"n": n} for n in range(100)]).output
    assert [document["original"]["n"] for document in output] == list(range(100))
    assert [document["response"]["entity"] for document in output] == [
        f"answer to {n}" for n in range(100)
    ]


def test_no_more_requests_run_at_once_than_allowed() -> None:
    most, now, lock = 0, 0, threading.Lock()
    full = threading.Barrier(3)

    def count(_: Received) -> Reply:
        nonlocal most, now
        with lock:
            now += 1
            most = max(most, now)
        full.wait(240)
        with lock:
            now -= 1
        return Reply(200)

    with serving(count) as server:
        settings = {"service_url": server.url, "requests_in_flight": 3}
        run_snap("RESTPost", settings, [{"n": n} for n in range(30)])
    assert most == 3


def test_a_failed_document_leaves_the_others_alone() -> None:
    def odd_fails(request: Received) -> Reply:
        return Reply(400 if int(request.body) % 2 else 200)

    with serving(odd_fails) as server:
        settings = {"service_url": server.url, "http_entity": "$n"}
        result = run_snap("RESTPost", settings, [{"n": n} for n in range(9)], on_error="route")
    assert [document["original"]["n"] for document in result.output] == [0, 2, 4, 6, 8]
    assert [(document["original"]["n"], document["status"]) for document in result.errors] == [
        (n, 400) for n in (1, 3, 5, 7)
    ]


def test_a_try_that_is_repeated_is_shown_once() -> None:
    known: set[bytes] = set()

    def busy_at_first(request: Received) -> Reply:
        if request.body in known:
            return Reply(200)
        known.add(request.body)
        return Reply(503)

    with serving(busy_at_first) as server:
        settings = {
            "service_url": server.url,
            "retry_policy": "all",
            "retry_request_interval": 0,
            "requests_in_flight": 4,
        }
        result = run_snap("RESTPost", settings, [{"n": n} for n in range(4)])
    assert result.shown == [
        f"POST '{server.url}/': the server answered with status 503; try 2 of 5 in 0 s"
    ]


def host_of(url: str, folder: Path) -> tuple[StageHost, Services]:
    file = folder / "pipeline.yaml"
    file.write_text(
        "pipeline: Test\nsnaps:\n  post:\n    snap: RESTPost\n    on_error: discard\n"
        f"    service_url: {url}\n    http_entity: $n\n"
    )
    plan = api.compile_plan(file)
    services = Services(plan, Executor(), lambda label, text, request_id="": None)
    execution = Execution(plan, identify(plan, {}), services, discover())
    return StageHost(plan.stages[0], discover(), execution), services


def test_an_interruption_ends_pending_requests_and_sends_no_more(tmp_path: Path) -> None:
    silence = Silence()
    with serving(silence) as server:
        host, services = host_of(server.url, tmp_path)
        host.open()
        failures: list[Exception] = []

        def work() -> None:
            try:
                list(host.process("input", Batch([{"n": n} for n in range(20)])))
            except Exception as error:  # noqa: BLE001  # looked at below
                failures.append(error)

        worker = threading.Thread(target=work)
        worker.start()
        server.wait(8)
        host.interrupt()
        worker.join(240)
        assert not worker.is_alive()  # though the server is still silent
        with pytest.raises(ExecutionError, match="the run is ending"):
            list(host.process("input", Batch([{"n": 20}])))
        host.close()
        services.close()
        silence.end()
        assert len(server.requests) == 8
    assert isinstance(failures[0], ExecutionError)


def test_each_answer_has_the_lineage_of_its_document(tmp_path: Path) -> None:
    def odd_fails(request: Received) -> Reply:
        return Reply(400 if int(request.body) % 2 else 200, request.body)

    with serving(odd_fails) as server:
        host, services = host_of(server.url, tmp_path)
        host.open()
        batch = Batch([{"n": n} for n in range(6)], [frozenset({n}) for n in range(6)])
        outputs = list(host.process("input", batch))
        host.close()
        services.close()
    pairs = [
        (document["response"]["entity"], lineage)
        for port, answered in outputs
        for document, lineage in zip(answered.items, answered.lineage or (), strict=True)
        if port.view == "output"
    ]
    assert pairs == [(str(n), frozenset({n})) for n in (0, 2, 4)]
