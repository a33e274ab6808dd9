"""A connection to a mail server, opened when it is needed, and again when it is lost."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from threading import Event

from engine.sdk import DataError, SmtpAccount


class MailConnection:
    """Sends mails through the server of an account. `close` may be called from another thread."""

    def __init__(self, account: SmtpAccount, retries: int, interval: float) -> None:
        self._account = account
        self._tries = retries + 1
        self._interval = interval
        self._server: smtplib.SMTP | None = None
        self._closing = Event()

    def send(self, message: EmailMessage, recipients: list[str]) -> None:
        """Send a mail to all recipients. Raises DataError if it was refused, or the server is lost
        more often than the retries allow."""
        failure: Exception | None = None
        for attempt in range(self._tries):
            if attempt:
                self._closing.wait(self._interval)
            if self._closing.is_set():
                break
            try:
                refused = self._connected().send_message(message, to_addrs=recipients)
            except (smtplib.SMTPException, OSError) as error:
                failure = error
                self._drop()
                if not _may_pass(error):
                    break
            else:
                if refused:
                    raise self._refused(refused)
                return
        raise self._failed(failure)

    def close(self) -> None:
        """End the session, and wait for no more retries."""
        self._closing.set()
        self._drop()

    def _connected(self) -> smtplib.SMTP:
        if self._server is None:
            self._server = self._connect()
        return self._server

    def _connect(self) -> smtplib.SMTP:
        account, encryption = self._account, ssl.create_default_context()
        where, timeout = (account.server_domain, account.port), account.connection_timeout
        if account.secure_connection == "ssl":
            server: smtplib.SMTP = smtplib.SMTP_SSL(*where, timeout=timeout, context=encryption)
        else:
            server = smtplib.SMTP(*where, timeout=timeout)
        try:
            if account.secure_connection == "tls":
                server.starttls(context=encryption)
            if account.password:
                server.login(account.email_id, account.password)
            assert server.sock is not None  # it is connected
            server.sock.settimeout(account.read_timeout)
        except BaseException:  # raised again once it is closed
            server.close()
            raise
        return server

    def _drop(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.close()

    def _refused(self, refused: dict[str, tuple[int, bytes]]) -> DataError:
        reasons = [f"{address}: {_shown(*answer)}" for address, answer in refused.items()]
        return DataError(
            "the mail server refused some recipients; the others got the mail",
            "; ".join(reasons),
            "correct these addresses",
        )

    def _failed(self, failure: Exception | None) -> DataError:
        account = self._account
        server = f"{account.server_domain}:{account.port}"
        if failure is None:
            return DataError("could not send the mail", "the run is ending")
        if isinstance(failure, smtplib.SMTPAuthenticationError):
            reason = f"{server} refused the login: {_shown(failure.smtp_code, failure.smtp_error)}"
            return DataError(
                "could not send the mail", reason, "check email_id and password of the account"
            )
        if isinstance(failure, smtplib.SMTPRecipientsRefused):
            reasons = [f"{each}: {_shown(*answer)}" for each, answer in failure.recipients.items()]
            return DataError(
                "the mail server refused every recipient", "; ".join(reasons), "correct the address"
            )
        if isinstance(failure, smtplib.SMTPResponseException):
            reason = f"{server} answered {_shown(failure.smtp_code, failure.smtp_error)}"
            return DataError("could not send the mail", reason, "see what the server asks for")
        return DataError(
            "could not send the mail",
            f"no connection to {server}: {failure}",
            "check server_domain, port and secure_connection of the account",
        )


def _may_pass(error: Exception) -> bool:
    """Whether the same mail may be accepted later: a lost connection, or a temporary answer."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        return all(400 <= code < 500 for code, _ in error.recipients.values())
    if isinstance(error, smtplib.SMTPResponseException):
        return 400 <= error.smtp_code < 500
    return isinstance(error, smtplib.SMTPServerDisconnected | OSError)


def _shown(code: int, text: bytes | str) -> str:
    words = text.decode(errors="replace") if isinstance(text, bytes) else text
    return f"{code} {' '.join(words.split())}"
