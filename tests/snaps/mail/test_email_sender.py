from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError, SnapFailedError
from engine.sdk import SmtpAccount
from tests.snaps.mail.mail_server import PASSWORD, MailServer, mail_server

Send = Callable[..., Any]


@pytest.fixture
def server() -> Iterator[MailServer]:
    with mail_server() as running:
        yield running


@pytest.fixture
def send(run_snap: Any, server: MailServer, tmp_path: Path) -> Send:
    """Run an EmailSender whose account is on the server."""

    def run(
        given: Any = None, *, password: str = "", on_error: str = "stop", **settings: Any
    ) -> Any:
        account = SmtpAccount(
            server_domain="127.0.0.1",
            port=server.port,
            secure_connection="none",
            email_id="me@example.com",
            password=password,
        )
        return run_snap(
            "EmailSender",
            {"account": "mail", "to": "= $to", "retry_interval": 0, **settings},
            given,
            accounts={"mail": account},
            on_error=on_error,
            project=tmp_path,
        )

    return run


def test_each_document_is_a_mail_and_all_go_over_one_connection(
    send: Send, server: MailServer
) -> None:
    given = [{"to": "a@x.org", "n": 1}, {"to": "Bea <b@x.org>, c@x.org", "n": 2}]
    run = send(given, subject="= 'Order ' + $n", body="= 'Nummer ' + $n + ' für dich'")
    assert [(sender, to, str(mail["Subject"])) for sender, to, mail in server.mails] == [
        ("me@example.com", ["a@x.org"], "Order 1"),
        ("me@example.com", ["b@x.org", "c@x.org"], "Order 2"),
    ]
    assert server.mails[0][2].get_content().strip() == "Nummer 1 für dich"
    assert server.sessions == 1
    assert run.output[0] == {
        "to": "a@x.org",
        "body": "Nummer 1 für dich",
        "emailType": "text/plain",
        "subject": "Order 1",
        "from": "me@example.com",
        "attachments": [],
        "cc": "",
    }


def test_hidden_recipients_get_the_mail_and_are_not_in_it(send: Send, server: MailServer) -> None:
    send([{"to": "a@x.org"}], cc="c@x.org", bcc="hidden@x.org", sender="they@x.org")
    ((sender, to, mail),) = server.mails
    assert (sender, to) == ("they@x.org", ["a@x.org", "c@x.org", "hidden@x.org"])
    assert "hidden" not in str(mail)


def test_html_and_attachments(send: Send, server: MailServer, tmp_path: Path) -> None:
    (tmp_path / "report 1.json").write_text('{"n": 1}')
    given = [{"to": "a@x.org", "file": "report 1.json"}]
    run = send(
        given,
        email_type="html_text",
        body="<b>bold</b>",
        attachments=[{"url": "= $file"}],
        pass_through=True,
    )
    mail = server.mails[0][2]
    body = mail.get_body()
    assert body is not None
    assert (body.get_content_type(), body.get_content().strip()) == ("text/html", "<b>bold</b>")
    (attached,) = mail.iter_attachments()
    assert (attached.get_filename(), json.loads(attached.get_content())) == (
        "report 1.json",
        {"n": 1},
    )
    assert run.output[0]["attachments"] == [{"url": "report 1.json", "filename": "report 1.json"}]
    assert run.output[0]["original"] == given[0]


def test_a_table_has_a_row_for_each_document_and_escapes_it(send: Send, server: MailServer) -> None:
    given = [{"to": "a@x.org", "n": number, "text": "<&>"} for number in range(5)]
    run = send(given, email_type="html_table", body="<p>All</p>", batch_size=3)
    bodies = [mail.get_content() for _, _, mail in server.mails]
    assert [body.count("<tr>") for body in bodies] == [4, 3]
    assert bodies[0].startswith('<p>All</p><table border="1"><tr><th>to</th><th>n</th>')
    assert "&lt;&amp;&gt;" in bodies[0]
    assert len(run.output) == 2


def test_the_rows_of_a_table_may_be_a_list_in_each_document(send: Send, server: MailServer) -> None:
    given = [{"to": "a@x.org", "items": [{"a": 1}, {"b": None}]}]
    send(given, email_type="html_table", table_data_path="$items")
    body = server.mails[0][2].get_content()
    assert "<tr><th>a</th><th>b</th></tr><tr><td>1</td><td></td></tr>" in body


def test_without_a_link_one_mail_is_sent_and_without_documents_none(
    send: Send, server: MailServer
) -> None:
    send(None, to="a@x.org", subject="Done")
    assert len(server.mails) == 1
    send([], to="a@x.org")
    assert len(server.mails) == 1


@pytest.mark.parametrize("answer", ["", "451 try again later"])
def test_a_mail_is_tried_again_if_the_server_is_lost_or_asks_for_it(
    send: Send, server: MailServer, answer: str
) -> None:
    server.answers = [answer, answer]
    send([{"to": "a@x.org"}], retries=2)
    assert len(server.mails) == 1
    server.answers = [answer, answer]
    with pytest.raises(SnapFailedError, match="could not send the mail"):
        send([{"to": "a@x.org"}], retries=1)


def test_a_mail_that_the_server_refuses_is_an_error_of_its_document(
    send: Send, server: MailServer
) -> None:
    server.answers = ["250 ok", "552 too large"]
    given = [{"to": "a@x.org"}, {"to": "b@x.org"}, {"to": "no-c@x.org"}, {"to": "d@x.org"}]
    run = send(given, on_error="route")
    assert [error["original"]["to"] for error in run.errors] == ["b@x.org", "no-c@x.org"]
    assert "answered 552 too large" in run.errors[0]["reason"]
    assert run.errors[1]["reason"] == "no-c@x.org: 550 no such user"
    assert [to for _, to, _ in server.mails] == [["a@x.org"], ["d@x.org"]]


def test_recipients_that_are_refused_are_named_while_the_others_get_the_mail(
    send: Send, server: MailServer
) -> None:
    run = send([{"to": "a@x.org, no-b@x.org"}], on_error="route")
    assert run.errors[0]["reason"] == "no-b@x.org: 550 no such user"
    assert [to for _, to, _ in server.mails] == [["a@x.org"]]


def test_the_account_logs_in_and_a_wrong_password_is_said_without_showing_it(
    send: Send, server: MailServer
) -> None:
    server.wants_login = True
    send([{"to": "a@x.org"}], password=PASSWORD)
    assert len(server.mails) == 1
    with pytest.raises(SnapFailedError, match="refused the login: 535") as caught:
        send([{"to": "a@x.org"}], password="wrong-password")
    assert "wrong-password" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"to": "= $none"}, "is not in the document"),
        ({"to": "= 'nobody'"}, "'nobody' is not an address"),
        ({"to": "= 'a@x.org evil'"}, "is not a list of mail addresses"),
        ({"to": "= 'a@x.org' + '\\r\\n' + 'Bcc: evil@x.org'"}, "is not a list of mail addresses"),
        ({"to": "= 'é@x.org'"}, "'é@x.org' is not an address"),
        ({"to": "= ''"}, "the mail has no recipient"),
        ({"subject": "= 'a' + '\\n' + 'Bcc: x@y.org'"}, "headers must not have line breaks"),
        ({"attachments": [{"url": "gone.txt"}]}, "gone.txt"),
    ],
)
def test_a_document_that_makes_no_mail_says_why(
    send: Send, server: MailServer, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(SnapFailedError, match=said):
        send([{"to": "a@x.org"}], **settings)
    assert server.mails == []


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"retries": -1}, "retries must be 0 or more"),
        ({"table_data_path": "$x"}, "only a table has rows"),
        ({"account": "other"}, "there is no account 'other'"),
    ],
)
def test_mistakes_in_settings_are_found_when_checking(
    send: Send, settings: dict[str, Any], said: str
) -> None:
    with pytest.raises(ConfigurationError, match=said):
        send([], **settings)


def test_no_server_is_an_error_that_names_it(run_snap: Any) -> None:
    account = SmtpAccount(server_domain="127.0.0.1", port=9, secure_connection="none")
    settings = {"account": "mail", "to": "a@x.org", "sender": "b@x.org", "retries": 0}
    with pytest.raises(SnapFailedError, match=r"no connection to 127\.0\.0\.1:9"):
        run_snap("EmailSender", settings, [{}], accounts={"mail": account})


def test_null_is_the_same_as_an_empty_setting(send: Send, server: MailServer) -> None:
    nothing = dict.fromkeys(("cc", "bcc", "sender", "subject", "body"), "= null")
    run = send([{"to": "a@x.org"}], **nothing)
    assert [to for _, to, _ in server.mails] == [["a@x.org"]]
    assert [run.output[0][key] for key in ("cc", "subject", "body")] == ["", "", ""]


def test_null_recipients_are_missing(send: Send, server: MailServer) -> None:
    run = send([{"to": None}], on_error="route")
    assert run.errors[0]["reason"] == "'to' is empty"
    assert server.mails == []
