"""Send a mail for each document, or one with a table of many documents."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from email.errors import MessageError
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, getaddresses, make_msgid
from html import escape
from mimetypes import guess_type
from pathlib import PurePosixPath
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from engine.sdk import (
    Account,
    ConfigurationError,
    DataError,
    Document,
    Evaluated,
    Example,
    Foreign,
    Issue,
    Item,
    Path,
    ReadFile,
    Settings,
    SmtpAccount,
    Snap,
    To,
    setting,
    to_json,
)
from snaps.mail.shared.connection import MailConnection

EmailType = Literal["plain_text", "html_text", "html_table"]

MAX_ATTACHMENT = 50 << 20
"""Bytes of an attachment, which is kept in memory; mail servers accept less."""

_NOTHING: Evaluated[str | None] = Evaluated(value="")


class AttachmentRow(Settings):
    url: Evaluated[str] = setting(
        help="The file, relative to the pipeline file, or its URL.", example="report.pdf"
    )


class EmailSenderSettings(Settings):
    account: Account[SmtpAccount] = setting(help="The mail server and its user.", example="mail")
    to: Evaluated[str | None] = setting(
        help="The recipients, separated by commas.", example="= $email + ', reports@example.com'"
    )
    cc: Evaluated[str | None] = setting(default=_NOTHING, help="Recipients of a copy.")
    bcc: Evaluated[str | None] = setting(default=_NOTHING, help="Hidden recipients of a copy.")
    sender: Evaluated[str | None] = setting(
        default=_NOTHING, help="Who sends it; by default the `email_id` of the account."
    )
    subject: Evaluated[str | None] = setting(
        default=_NOTHING, help="The subject.", example="= 'Order ' + $id"
    )
    body: Evaluated[str | None] = setting(
        default=_NOTHING, help="The text, plain or HTML; with a table, what stands above it."
    )
    email_type: EmailType = setting(
        default="plain_text",
        help="What the body is. `html_table` adds a table with a row for each document, and sends "
        "up to `batch_size` of them in one mail.",
    )
    table_data_path: Path | None = setting(
        default=None,
        help="The rows of the table: a list of maps in each document. By default, the documents "
        "are the rows.",
    )
    attachments: tuple[AttachmentRow, ...] = setting(
        default=(), help="Files that go with the mail.", example=[{"url": "= $file"}]
    )
    batch_size: int = setting(default=100, help="Documents in one table.")
    retries: int = setting(
        default=3,
        help="How often a mail is tried again if the server is lost or asks for it.",
    )
    retry_interval: float = setting(default=1.0, help="Seconds before it is tried again.")
    pass_through: bool = setting(
        default=False, help="Add the input document to the output, as `original`."
    )


class EmailSender(Snap[EmailSenderSettings]):
    since = "0.4.0"
    about = """
    The output document tells what was sent: `{to, body, emailType, subject, from, attachments,
    cc}`. A mail that the server refuses is an error of its document, or of all that are in its
    table.
    If the server refuses only some recipients, the others have got the mail.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-email-emailsender",
        "Email Sender",
        version=2,
        settings={
            "to": "to",
            "cc": "cc",
            "bcc": "bcc",
            "from": "sender",
            "subject": "subject",
            "body": "body",
            "emailType": "email_type",
            "tableDataPath": "table_data_path",
            "attachments": "attachments",
            "attachments[].url": "attachments[].url",
            "batchSize": "batch_size",
            "retries": "retries",
            "retryInterval": "retry_interval",
            "passThrough": "pass_through",
        },
        choices={
            "emailType": {
                "Plain text": "plain_text",
                "HTML text": "html_text",
                "HTML table": "html_table",
            }
        },
    )
    stateful = True
    single = True
    blocking = True
    writes = True
    would = "send {items} by mail to {to}"
    replayable = False
    plain = True
    changes_input = False
    loses_lineage = ""
    examples = (
        Example(
            "a document without a recipient is an error; no mail is sent for it",
            settings={
                "account": "mail",
                "sender": "orders@example.com",
                "to": "= $email",
                "subject": "= 'Order ' + $id",
                "body": "= 'Thank you, ' + $name",
            },
            files={"accounts/mail.yaml": "account: smtp\nserver_domain: smtp.example.com\n"},
            on_error="discard",
            given=[{"email": "", "id": 7, "name": "Ada"}],
            expect=[],
        ),
    )

    @classmethod
    def loses_lineage_for(cls, settings: EmailSenderSettings) -> str:
        if settings.email_type == "html_table":
            return "puts the documents of several requests into one mail; use html_text"
        return ""

    @classmethod
    def check(cls, settings: EmailSenderSettings) -> Iterable[Issue]:
        for name, least in (("batch_size", 1), ("retries", 0), ("retry_interval", 0)):
            value = getattr(settings, name)
            if value < least:
                yield Issue((name,), f"{name} must be {least} or more, got {value:g}")
        if settings.table_data_path and settings.email_type != "html_table":
            hint = "set email_type to html_table, or remove it"
            yield Issue(("table_data_path",), "only a table has rows", hint)
        yield from _recipient_issues(settings)

    @classmethod
    def files_read(cls, settings: EmailSenderSettings) -> Iterable[ReadFile]:
        for place, row in enumerate(settings.attachments):
            yield ReadFile(("attachments", place, "url"), row.url)

    def open(self) -> None:
        settings = self.settings
        self._account = self.context.account(settings.account)
        if settings.sender.expression is None and not (
            settings.sender.value or self._account.email_id
        ):
            raise ConfigurationError(
                "the mail has no sender: set sender, or email_id of the account"
            )
        self._connection = MailConnection(self._account, settings.retries, settings.retry_interval)
        self._waiting: list[Document] = []
        path = settings.table_data_path
        self._rows = None if path is None else self.context.path(path)

    def process(self, document: Document) -> Iterator[Document]:
        if self.settings.email_type != "html_table":
            yield self._sent([document])
            return
        self._waiting.append(document)
        if len(self._waiting) >= self.settings.batch_size:
            yield from self._send_table()

    def finish(self) -> Iterator[Item | To]:
        if self._waiting:
            yield from self._send_table()

    def interrupt(self) -> None:
        self._connection.close()

    def close(self) -> None:
        self._connection.close()

    def _send_table(self) -> Iterator[Document]:
        documents, self._waiting = self._waiting, []
        try:
            yield self._sent(documents)
        except DataError as error:
            for document in documents:
                self.context.failed(error, document)

    def _sent(self, documents: list[Document]) -> Document:
        """Send a mail, and describe it."""
        first = documents[0]
        message, recipients, described = self._message(first, self._body(documents))
        self._connection.send(message, recipients)
        if self.settings.pass_through:
            described["original"] = first if len(documents) == 1 else documents
        return described

    def _body(self, documents: list[Document]) -> str:
        text = self._text(self.settings.body, documents[0])
        if self.settings.email_type != "html_table":
            return text
        rows: list[Any] = []
        for document in documents:
            found = document if self._rows is None else self._rows.get(document)
            rows += found if isinstance(found, list) else [found]
        return f"{text}{_table(rows)}"

    def _message(self, document: Document, body: str) -> tuple[EmailMessage, list[str], Document]:
        settings = self.settings
        is_html = settings.email_type != "plain_text"
        sender = self._text(settings.sender, document) or self._account.email_id
        subject = self._text(settings.subject, document)
        named = {
            name: _addresses(name, self._text(getattr(settings, name), document))
            for name in ("to", "cc", "bcc")
        }
        recipients = [address for addresses in named.values() for address in addresses]
        if not recipients:
            raise DataError("the mail has no recipient", "'to' is empty", "give an address")
        if not sender:
            raise DataError(
                "the mail has no sender", "'sender' is empty", "set it, or email_id of the account"
            )
        message = EmailMessage(policy=SMTP)
        try:
            message["From"] = sender
            for header, name in (("To", "to"), ("Cc", "cc")):
                if named[name]:
                    message[header] = ", ".join(named[name])
            message["Subject"] = subject
            message["Date"] = formatdate(localtime=False)
            message["Message-ID"] = make_msgid()
            message.set_content(body, subtype="html" if is_html else "plain")
        except (ValueError, MessageError) as error:
            raise DataError(
                "the mail cannot be written", str(error), "headers must not have line breaks"
            ) from None
        files = [self._attach(message, row, document) for row in settings.attachments]
        described: Document = {
            "to": ", ".join(named["to"]),
            "body": body,
            "emailType": "text/html" if is_html else "text/plain",
            "subject": subject,
            "from": sender,
            "attachments": files,
            "cc": ", ".join(named["cc"]),
        }
        return message, recipients, described

    def _attach(self, message: EmailMessage, row: AttachmentRow, document: Document) -> Document:
        name = self.context.file(row.url, document)
        content = bytearray()
        for chunk in self.context.files.read(name):
            content += chunk
            if len(content) > MAX_ATTACHMENT:
                raise DataError(
                    f"the attachment {name.text!r} is too large",
                    f"it has more than {MAX_ATTACHMENT:,} bytes",
                    "send a link to it instead",
                )
        filename = PurePosixPath(unquote(urlsplit(name.text).path)).name or "attachment"
        main, _, kind = (guess_type(filename)[0] or "application/octet-stream").partition("/")
        message.add_attachment(bytes(content), maintype=main, subtype=kind, filename=filename)
        return {"url": name.text, "filename": filename}

    def _text(self, value: Evaluated[str | None], document: Document) -> str:
        return self.context.value(value, document) or ""


def _recipient_issues(settings: EmailSenderSettings) -> Iterator[Issue]:
    """Mistakes in recipients that no document can change."""
    named = {name: getattr(settings, name) for name in ("to", "cc", "bcc")}
    if all(each.expression is None and not each.value for each in named.values()):
        yield Issue(("to",), "the mail has no recipient", "give an address")
    for name, given in named.items():
        if given.expression is None and given.value:
            try:
                _addresses(name, given.value)
            except DataError as error:
                yield Issue((name,), error.reason, error.resolution)


def _addresses(name: str, text: str) -> list[str]:
    """The addresses in a list that commas separate."""
    found = [address for _, address in getaddresses([text]) if address]
    wrong = [address for address in found if not _is_address(address) or address not in text]
    if wrong or not text.isprintable() or (text.strip() and not found):
        raise DataError(
            f"{name!r} is not a list of mail addresses",
            f"{(wrong or [text])[0]!r} is not an address",
            "write addresses such as a@example.com, separated by commas",
        )
    return found


def _is_address(text: str) -> bool:
    """Whether a server can take it: `getaddresses` repairs what is not an address."""
    return "@" in text[1:-1] and text.isascii() and not any(map(str.isspace, text))


def _table(rows: list[Any]) -> str:
    """The rows as an HTML table; its columns are the keys of all rows."""
    if not_maps := [row for row in rows if not isinstance(row, dict)]:
        raise DataError(
            "the rows of the table must be maps",
            f"one of them is {type(not_maps[0]).__name__}",
            "let table_data_path lead to a list of maps",
        )
    columns = list(dict.fromkeys(key for row in rows for key in row))
    head = "".join(f"<th>{escape(str(column))}</th>" for column in columns)
    lines = ["".join(f"<td>{_cell(row.get(column))}</td>" for column in columns) for row in rows]
    body = "".join(f"<tr>{line}</tr>" for line in lines)
    return f'<table border="1"><tr>{head}</tr>{body}</table>'


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return escape(value if isinstance(value, str) else to_json(value, "a cell").decode())
