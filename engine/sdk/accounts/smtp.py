"""Accounts of mail servers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar, Literal

from engine.sdk.accounts.base import AccountKind, empty, out_of_range
from engine.sdk.settings import Issue, setting


class SmtpAccount(AccountKind):
    """A mail server, and the user who sends through it."""

    kind: ClassVar[str] = "smtp"
    server_domain: str = setting(help="The name of the server.", example="smtp.example.com")
    port: int = setting(default=465, help="Its port.")
    secure_connection: Literal["ssl", "tls", "none"] = setting(
        default="ssl",
        help="`ssl`: encrypted from the start; `tls`: encrypted by STARTTLS; `none`: plain text.",
    )
    email_id: str = setting(
        default="",
        help="The user's name, usually the mail address; mails without a sender come from it.",
        example="reports@example.com",
    )
    password: str = setting(
        default="", help="The password.", example="${env:MAIL_PASSWORD}", secret=True
    )
    connection_timeout: float = setting(
        default=60.0, help="Time limit for the connection, in seconds."
    )
    read_timeout: float = setting(
        default=60.0, help="The longest time, in seconds, to wait for an answer of the server."
    )

    def issues(self) -> Iterable[Issue]:
        yield from empty(self, "server_domain")
        yield from out_of_range(
            self,
            {"port": (1, 65_535), "connection_timeout": (1, 86_400), "read_timeout": (1, 86_400)},
        )
        if self.password and not self.email_id:
            yield Issue((), "'email_id' is missing", "a password needs a user")
