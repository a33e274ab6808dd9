"""REST snaps log in with an account, and nothing shows its secrets."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any
from urllib.parse import parse_qs

import pytest

from engine.errors import InvalidPipelineError, SnapFailedError
from engine.sdk import (
    AccountKind,
    BasicAccount,
    BearerAccount,
    HeaderAccount,
    HttpRequest,
    HttpResponse,
    OAuth2Account,
    SmtpAccount,
)
from engine.testing import CannedHttp, SnapRun, run_pipeline, run_snap
from tests.http_server import Received, Reply, serving, without_proxies

URL = "http://service/"
TOKENS = "http://login/token"
OAUTH2 = OAuth2Account(token_url=TOKENS, client_id="me", client_secret="swordfish")
OK = HttpResponse(200)
REFUSED = HttpResponse(401, "Unauthorized")


def token(text: str, **more: Any) -> HttpResponse:
    return HttpResponse(200, body=json.dumps({"access_token": text, **more}).encode())


def get(
    account: AccountKind, http: CannedHttp, given: list[Any] | None = None, **settings: Any
) -> SnapRun:
    return run_snap(
        "RESTGet",
        {"service_url": URL, "account": "mine", **settings},
        given or [{}],
        on_error="route",
        http=http,
        accounts={"mine": account},
    )


def header(request: HttpRequest, name: str) -> list[str]:
    return [value for key, value in request.headers if key.lower() == name]


def authorizations(http: CannedHttp) -> list[str]:
    """Of the requests to the service."""
    return [value for r in http.requests if r.url == URL for value in header(r, "authorization")]


@pytest.mark.parametrize(
    ("account", "name", "value"),
    [
        (
            BasicAccount(username="Aladdin", password="open sesame"),
            "authorization",
            "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==",  # the example of RFC 7617
        ),
        (BearerAccount(token="abc"), "authorization", "Bearer abc"),
        (HeaderAccount(headers={"X-Key": "k"}), "x-key", "k"),
    ],
)
def test_the_credentials_are_sent_with_each_request(
    account: AccountKind, name: str, value: str
) -> None:
    http = CannedHttp({f"GET {URL}": OK})
    get(account, http, [{}, {}])
    assert [header(request, name) for request in http.requests] == [[value], [value]]


def test_a_header_of_the_snap_wins_over_that_of_the_account() -> None:
    http = CannedHttp({f"GET {URL}": OK})
    get(BearerAccount(token="abc"), http, http_headers={"authorization": "Other"})
    assert authorizations(http) == ["Other"]


def test_the_name_may_depend_on_a_parameter_or_on_the_document() -> None:
    http = CannedHttp({f"GET {URL}": OK})
    accounts = {"a": BearerAccount(token="for a"), "b": BearerAccount(token="for b")}
    settings = {"service_url": URL, "account": "= $who + _suffix"}
    given = [{"who": "a"}, {"who": "b"}, {"who": "c"}]
    result = run_snap(
        "RESTGet",
        settings,
        given,
        on_error="route",
        http=http,
        accounts=accounts,
        parameters={"suffix": ""},
    )
    assert authorizations(http) == ["Bearer for a", "Bearer for b"]
    assert [error["reason"] for error in result.errors] == ["there is no account 'c'"]
    assert result.errors[0]["original"] == {"who": "c"}


def test_an_account_of_another_kind_is_a_mistake() -> None:
    with pytest.raises(InvalidPipelineError, match="the account 'mine' is of kind 'smtp'"):
        get(SmtpAccount(server_domain="mail"), CannedHttp({}))


def test_a_computed_account_of_another_kind_fails_the_document() -> None:
    settings = {"service_url": URL, "account": "= $who"}
    with pytest.raises(SnapFailedError, match="is of kind 'smtp'"):
        run_snap(
            "RESTGet",
            settings,
            [{"who": "mail"}],
            http=CannedHttp({}),
            accounts={"mail": SmtpAccount(server_domain="mail")},
        )


class TestAccessTokens:
    def test_one_token_serves_all_requests(self) -> None:
        http = CannedHttp({f"POST {TOKENS}": token("t1"), f"GET {URL}": OK})
        get(OAUTH2, http, [{}] * 20)
        assert authorizations(http) == ["Bearer t1"] * 20
        assert len(http.requests) == 21

    def test_the_token_request_has_id_and_secret_in_its_header(self) -> None:
        http = CannedHttp({f"POST {TOKENS}": token("t1"), f"GET {URL}": OK})
        account = OAuth2Account(
            token_url=TOKENS,
            client_id="a:b",
            client_secret="c d",
            scope="read write",
            parameters={"audience": "x"},
        )
        get(account, http)
        request = http.requests[0]
        assert header(request, "authorization") == [f"Basic {b64encode(b'a%3Ab:c+d').decode()}"]
        assert parse_qs((request.body or b"").decode()) == {
            "grant_type": ["client_credentials"],
            "scope": ["read write"],
            "audience": ["x"],
        }

    def test_the_token_request_may_have_id_and_secret_in_its_body(self) -> None:
        http = CannedHttp({f"POST {TOKENS}": token("t1"), f"GET {URL}": OK})
        account = OAuth2Account(
            token_url=TOKENS, client_id="a", client_secret="b", client_authentication="body"
        )
        get(account, http)
        assert header(http.requests[0], "authorization") == []
        form = parse_qs((http.requests[0].body or b"").decode())
        assert (form["client_id"], form["client_secret"]) == (["a"], ["b"])

    def test_a_refused_token_is_renewed_once(self) -> None:
        http = CannedHttp(
            {f"POST {TOKENS}": [token("t1"), token("t2")], f"GET {URL}": [REFUSED, OK]}
        )
        result = get(OAUTH2, http)
        assert len(result.output) == 1
        assert authorizations(http) == ["Bearer t1", "Bearer t2"]

    def test_a_service_that_refuses_the_new_token_too_is_an_error(self) -> None:
        http = CannedHttp({f"POST {TOKENS}": [token("t1"), token("t2")], f"GET {URL}": REFUSED})
        (error,) = get(OAUTH2, http).errors
        assert error["statusCode"] == 401
        assert authorizations(http) == ["Bearer t1", "Bearer t2"]

    def test_requests_in_flight_with_the_old_token_share_the_new_one(self) -> None:
        http = CannedHttp(
            {f"POST {TOKENS}": [token("t1"), token("t2")], f"GET {URL}": [REFUSED] * 3 + [OK]}
        )
        result = get(OAUTH2, http, [{}] * 3, requests_in_flight=3)
        assert len(result.output) == 3
        assert [r.url for r in http.requests].count(TOKENS) == 2

    def test_a_token_that_ends_soon_is_replaced(self) -> None:
        answers = [token("t1", expires_in=5), token("t2", expires_in="3600")]
        http = CannedHttp({f"POST {TOKENS}": answers, f"GET {URL}": OK})
        get(OAUTH2, http, [{}] * 3)
        assert authorizations(http) == ["Bearer t1", "Bearer t2", "Bearer t2"]

    def test_the_snaps_of_a_pipeline_share_a_token(self) -> None:
        http = CannedHttp({f"POST {TOKENS}": token("t1"), f"GET {URL}": OK})
        pipeline = f"""
            snaps:
              a: {{snap: RESTGet, service_url: "{URL}", account: mine}}
              b: {{snap: RESTDelete, service_url: "{URL}", account: mine}}
        """
        http._answers[f"DELETE {URL}"] = [OK]
        run_pipeline(pipeline, http=http, accounts={"mine": OAUTH2})
        assert [r.url for r in http.requests].count(TOKENS) == 1

    @pytest.mark.parametrize(
        ("answer", "reason"),
        [
            (HttpResponse(400, "Bad", body=b'{"error": "invalid_client"}'), "400 Bad: invalid_cl"),
            (HttpResponse(503, "Busy", body=b"<html>"), "503 Busy"),
            (HttpResponse(200, body=b"{}"), "the response has no access_token"),
            (HttpResponse(200, body=b"nothing"), "the response has no access_token"),
            (token("a\nb"), "the response is not valid"),
            (token("t", expires_in="soon"), "the response is not valid"),
        ],
    )
    def test_without_a_token_the_document_fails(self, answer: HttpResponse, reason: str) -> None:
        (error,) = get(OAUTH2, CannedHttp({f"POST {TOKENS}": answer}), [{"a": 1}]).errors
        assert error["error"] == f"the token request to '{TOKENS}' failed"
        assert error["reason"].startswith(reason)
        assert error["original"] == {"a": 1}


class TestSecrets:
    def test_what_a_service_echoes_is_masked_in_error_documents(self) -> None:
        account = BasicAccount(username="me", password="swordfish")
        echo = f"Basic {account.credentials} swordfish".encode()
        answer = HttpResponse(403, "swordfish", (("X-Echo", "swordfish"),), echo)
        (error,) = get(account, CannedHttp({f"GET {URL}": answer}), [{"p": "swordfish"}]).errors
        assert "swordfish" not in str(error)
        assert account.credentials not in str(error)
        assert error["original"] == {"p": "***"}

    def test_a_token_that_was_fetched_is_masked(self) -> None:
        answer = HttpResponse(403, body=b"the token t0k3n-text is not allowed")
        http = CannedHttp({f"POST {TOKENS}": token("t0k3n-text"), f"GET {URL}": answer})
        (error,) = get(OAUTH2, http).errors
        assert error["entity"] == "the token *** is not allowed"

    def test_a_failure_shows_no_secret(self) -> None:
        answer = HttpResponse(500, "no swordfish today")
        with pytest.raises(SnapFailedError) as failure:
            run_snap(
                "RESTGet",
                {"service_url": URL, "account": "mine"},
                [{}],
                http=CannedHttp({f"GET {URL}": answer}),
                accounts={"mine": BearerAccount(token="swordfish")},
            )
        assert "500 no *** today" in str(failure.value)
        assert "swordfish" not in f"{failure.value!r} {failure.value.trace}"

    def test_a_redirect_to_another_host_gets_no_header_of_the_account(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        without_proxies(monkeypatch)
        seen: list[Received] = []

        def elsewhere(request: Received) -> Reply:
            seen.append(request)
            return Reply(200)

        def away(request: Received) -> Reply:
            return Reply(302, headers={"Location": other.url})

        with serving(elsewhere) as other, serving(away) as server:
            run_snap(
                "RESTGet",
                {"service_url": server.url, "account": "mine", "http_headers": {"X-Open": "y"}},
                [{}],
                accounts={"mine": HeaderAccount(headers={"X-Key": "swordfish"})},
            )
            first = server.requests[0].headers
        assert first["x-key"] == "swordfish"
        assert seen[0].headers["x-open"] == "y"
        assert "x-key" not in seen[0].headers
