"""How an account authorises a request: the headers that it adds, and access tokens."""

from __future__ import annotations

import threading
from base64 import b64encode
from collections.abc import Callable
from time import monotonic
from urllib.parse import quote_plus, urlencode

from engine.sdk import (
    AccountPerDocument,
    BasicAccount,
    BearerAccount,
    Context,
    DataError,
    Document,
    HeaderAccount,
    HeaderError,
    HttpCall,
    HttpOptions,
    HttpRequest,
    HttpResponse,
    OAuth2Account,
    header_text,
    json_value,
    paths_read,
    shown_url,
)

RestAccount = BasicAccount | BearerAccount | HeaderAccount | OAuth2Account
Headers = tuple[tuple[str, str], ...]

_RENEWED_BEFORE = 30.0
"""Seconds before its end at which an access token is renewed: the request must still arrive."""

_FORM = ("Content-Type", "application/x-www-form-urlencoded")
_JSON = ("Accept", "application/json")
_LONGEST = 200


class Authorization:
    """The headers of a snap's account; none without an account."""

    def __init__(
        self,
        context: Context,
        setting: AccountPerDocument[RestAccount] | None,
        options: HttpOptions,
    ) -> None:
        self._context = context
        self._setting = setting
        self._options = options
        self._fetching: HttpCall | None = None
        self._fixed: RestAccount | None = None

    def open(self) -> None:
        """Choose the account if it is the same for all documents."""
        if self._setting is not None and _is_fixed(self._setting):
            self._fixed = self._context.account(self._setting)

    def headers(self, document: Document) -> Headers:
        """Raises DataError if the account's name or its access token cannot be had."""
        account = self._account(document)
        if isinstance(account, BasicAccount):
            return (("Authorization", f"Basic {account.credentials}"),)
        if isinstance(account, BearerAccount):
            return (("Authorization", f"Bearer {account.token}"),)
        if isinstance(account, HeaderAccount):
            return tuple(account.headers.items())
        if isinstance(account, OAuth2Account):
            token = self._context.shared(account, AccessToken).current(self._fetch)
            return (("Authorization", f"Bearer {token}"),)
        return ()

    def renew(self, document: Document, refused: Headers) -> bool:
        """After status 401 for a request with these headers: whether to try again with others."""
        account = self._account(document)
        if not isinstance(account, OAuth2Account):
            return False
        used = next((value for name, value in refused if name == "Authorization"), "")
        return self._context.shared(account, AccessToken).discard(used.removeprefix("Bearer "))

    def interrupt(self) -> None:
        """Give up a token request in progress. From another thread."""
        call = self._fetching
        if call is not None:
            call.cancel()

    def _account(self, document: Document) -> RestAccount | None:
        if self._setting is None or self._fixed is not None:
            return self._fixed
        return self._context.account(self._setting, document)

    def _fetch(self, account: OAuth2Account) -> tuple[str, float | None]:
        """A new access token, and how many seconds it is valid. Raises DataError."""
        request = _token_request(account, self._options)
        self._fetching = self._context.http.send(request, self._context.show)
        try:
            response = self._fetching.result()
        finally:
            self._fetching = None
        token, seconds = _token_in(response, account)
        self._context.conceal(token)
        return token, seconds


FetchToken = Callable[[OAuth2Account], tuple[str, "float | None"]]


class AccessToken:
    """The access token of an account, which the snaps of a run share."""

    def __init__(self, account: OAuth2Account) -> None:
        self._account = account
        self._lock = threading.Lock()
        self._token = ""
        self._renewal: float | None = None

    def current(self, fetch: FetchToken) -> str:
        """The token; a new one if there is none, or if it ends soon."""
        with self._lock:
            if not self._token or (self._renewal is not None and monotonic() >= self._renewal):
                self._token, seconds = fetch(self._account)
                lasting = None if seconds is None else max(0.0, seconds - _RENEWED_BEFORE)
                self._renewal = None if lasting is None else monotonic() + lasting
            return self._token

    def discard(self, token: str) -> bool:
        """Forget a token that was refused, unless it has been replaced already."""
        with self._lock:
            if self._token == token:
                self._token = ""
        return True


def _is_fixed(setting: AccountPerDocument[RestAccount]) -> bool:
    """Whether all documents have the same account."""
    return setting.expression is None or paths_read([setting.expression]) == frozenset()


def _token_request(account: OAuth2Account, options: HttpOptions) -> HttpRequest:
    """RFC 6749, 4.4.2 and 2.3.1."""
    form = {"grant_type": "client_credentials", **account.parameters}
    headers: Headers = (_FORM, _JSON)
    if account.scope:
        form["scope"] = account.scope
    if account.client_authentication == "body":
        form |= {"client_id": account.client_id, "client_secret": account.client_secret}
    else:
        pair = f"{quote_plus(account.client_id)}:{quote_plus(account.client_secret)}"
        headers = (*headers, ("Authorization", f"Basic {b64encode(pair.encode()).decode()}"))
    return HttpRequest("POST", account.token_url, headers, urlencode(form).encode(), options)


def _token_in(response: HttpResponse, account: OAuth2Account) -> tuple[str, float | None]:
    what = f"the token request to {shown_url(account.token_url)!r} failed"
    try:
        found = json_value(response.body, "the response", "", lenient=False)
    except DataError:
        found = None
    found = found if isinstance(found, dict) else {}
    if not 200 <= response.status < 300:
        status = f"{response.status} {response.reason}".rstrip()
        said = [str(found[key]) for key in ("error", "error_description") if found.get(key)]
        reason = ": ".join([status, *said]) if said else status
        raise DataError(what, reason[:_LONGEST], "check the account's fields")
    token, seconds = found.get("access_token"), found.get("expires_in")
    if not isinstance(token, str) or not token:
        raise DataError(what, "the response has no access_token", "check token_url")
    try:
        return header_text(token), None if seconds is None else float(str(seconds))
    except (ValueError, HeaderError) as error:
        raise DataError(what, f"the response is not valid: {error}", "check token_url") from None
