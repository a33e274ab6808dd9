"""Accounts of REST services."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator
from typing import ClassVar, Literal

from engine.sdk.accounts.base import AccountKind, empty
from engine.sdk.addresses import AddressError, address_of
from engine.sdk.header_values import HeaderError, header_text
from engine.sdk.settings import Issue, setting


class BasicAccount(AccountKind):
    """User and password, sent with each request."""

    kind: ClassVar[str] = "basic"
    username: str = setting(help="The user's name.", example="reports")
    password: str = setting(help="The password.", example="${env:CRM_PASSWORD}", secret=True)

    def issues(self) -> Iterable[Issue]:
        yield from empty(self, "username")
        if ":" in self.username:
            message = "'username' contains a ':', which ends it in the header Authorization"
            yield Issue(("username",), message, "remove the ':'")

    @property
    def credentials(self) -> str:
        """What follows `Basic` in the header Authorization (RFC 7617)."""
        return b64encode(f"{self.username}:{self.password}".encode()).decode()

    def concealed(self) -> Iterator[str]:
        yield from super().concealed()
        yield self.credentials


class BearerAccount(AccountKind):
    """A token that is sent with each request in the header Authorization."""

    kind: ClassVar[str] = "bearer"
    token: str = setting(help="The token.", example="${env:CRM_TOKEN}", secret=True)

    def issues(self) -> Iterable[Issue]:
        yield from empty(self, "token")
        yield from _header_issues("token", self.token)


class HeaderAccount(AccountKind):
    """Headers that are sent with each request, such as an API key."""

    kind: ClassVar[str] = "header"
    headers: dict[str, str] = setting(
        help="Name to value.", example={"X-API-Key": "${env:CRM_KEY}"}, secret=True
    )

    def issues(self) -> Iterable[Issue]:
        yield from empty(self, "headers")
        for name, value in self.headers.items():
            yield from _header_issues(name, value, ("headers", name))


class OAuth2Account(AccountKind):
    """A client that gets its own access tokens (OAuth 2, client credentials)."""

    kind: ClassVar[str] = "oauth2"
    about: ClassVar[str] = """
    The first request fetches an access token from `token_url`. All snaps of a run that use the
    account share it. It is renewed shortly before it expires, and once if a service answers a
    request with status 401.
    """
    token_url: str = setting(
        help="The address of the token endpoint.", example="https://login.example.com/token"
    )
    client_id: str = setting(help="The client's id.", example="reports")
    client_secret: str = setting(
        help="The client's secret.", example="${env:CRM_SECRET}", secret=True
    )
    scope: str = setting(
        default="", help="The scopes that are asked for, separated by spaces.", example="orders"
    )
    parameters: dict[str, str] = setting(
        default={},
        help="Further parameters of the token request.",
        example={"audience": "https://api.example.com"},
    )
    client_authentication: Literal["header", "body"] = setting(
        default="header",
        help="How id and secret are sent to the token endpoint: in the header Authorization, or in "
        "the body.",
    )

    def issues(self) -> Iterable[Issue]:
        yield from empty(self, "client_id", "client_secret")
        try:
            address_of(self.token_url)
        except AddressError as error:
            yield Issue(
                ("token_url",), f"'token_url' is not a valid URL: {error}", error.resolution
            )


def _header_issues(what: str, value: str, path: tuple[str, ...] = ()) -> Iterator[Issue]:
    try:
        header_text(value)
    except HeaderError:
        message = f"{what!r} has a character that an HTTP header cannot carry"
        yield Issue(path or (what,), message, "check for line breaks at its end")
