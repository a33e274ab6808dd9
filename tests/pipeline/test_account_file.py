"""Account files: typed fields, the environment, and mistakes that show no secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

import pytest

from engine.pipeline.account_file import AccountFile, parse_account
from engine.sdk import AccountKind, setting
from engine.sdk.accounts.builtin import BUILTIN_KINDS


def read(text: str, environment: Mapping[str, str] | None = None, **more: Any) -> AccountFile:
    kinds = (*BUILTIN_KINDS, *more.get("kinds", ()))
    return parse_account(text, "accounts/a.yaml", kinds, environment or {})


def account(text: str, environment: Mapping[str, str] | None = None) -> Any:
    file = read(text, environment)
    assert file.account is not None, file.problems
    return file.account


def report(text: str, environment: Mapping[str, str] | None = None) -> str:
    file = read(text, environment)
    return "\n".join(str(problem) for problem in file.problems)


def test_text_from_the_environment_is_text_even_if_it_looks_like_something_else() -> None:
    text = "account: basic\nusername: ${env:U}\npassword: ${env:P}"
    found = account(text, {"U": "007", "P": "null: [x"})
    assert (found.username, found.password) == ("007", "null: [x")


def test_a_number_may_come_from_the_environment() -> None:
    text = "account: sql\ndialect: mysql\nhost: h\nport: ${env:PORT}\nauto_commit: ${env:AUTO}"
    found = account(text, {"PORT": "3307", "AUTO": "false"})
    assert (found.port, found.auto_commit) == (3307, False)


def test_a_variable_may_be_part_of_a_text() -> None:
    text = "account: oauth2\ntoken_url: https://${env:HOST}/token\nclient_id: a\nclient_secret: b"
    assert account(text, {"HOST": "login"}).token_url == "https://login/token"


def test_a_password_of_digits_stays_as_written() -> None:
    assert account("account: basic\nusername: 1e3\npassword: 007").password == "007"
    assert account("account: basic\nusername: 1e3\npassword: 007").username == "1e3"


def test_values_in_a_map_are_filled_in() -> None:
    found = account("account: header\nheaders: {X-Key: '${env:KEY}', X-N: 5}", {"KEY": "k"})
    assert found.headers == {"X-Key": "k", "X-N": "5"}


def test_a_secret_in_the_file_is_a_warning_that_does_not_show_it() -> None:
    text = report("account: header\nheaders:\n  X-Key: topsecret\n")
    assert text.startswith("accounts/a.yaml:3:10  secret-in-file  warning: 'X-Key' is written in")
    assert "topsecret" not in text


@pytest.mark.parametrize(
    "text",
    [
        "account: basic\nusername: me\npassword: [topsecret]",
        "account: basic\nusername: me\npassword: {x: topsecret}",
        "account: basic\nusername: me\npasword: topsecret",
        "account: basik\nusername: me\npassword: topsecret",
        "account: bearer\ntoken: 'topsecret",
        "account: bearer\ntoken: topsecret: topsecret",
        "account: bearer\ntoken: topsecret\n  more: topsecret",
        "account: bearer\ntoken: |\n  topsecret\n  topsecret",
        "usernam: topsecret",
        "- topsecret",
        "topsecret",
        "account: header\nheaders: topsecret",
        "account: bearer\ntoken: !topsecret x",
        "account: bearer\ntoken: *topsecret",
    ],
)
def test_no_mistake_shows_a_secret(text: str) -> None:
    problems = report(text)
    assert problems
    assert "topsecret" not in problems


def test_all_mistakes_come_at_once() -> None:
    text = "account: sql\ndialect: postgres\nhots: h\nport: ${env:PORT}\nbatch_size: 0"
    assert [problem.code for problem in read(text).problems] == [
        "wrong-type",
        "unknown-setting",
        "unset-variable",
        "bad-setting",
    ]


def test_an_unknown_kind_is_compared_with_those_that_exist() -> None:
    assert "there is no kind of account 'oauth'\n  1 |" in report("account: oauth\n")
    assert "hint: did you mean 'oauth2'?" in report("account: oauth\n")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the account file is empty"),
        ("username: x", "the key 'account' is missing"),
        ("acount: basic", "hint: did you mean 'acount'?"),
        ("[basic]", "an account file must be a map, not a list"),
        ("account: bearer\ntoken: ${TOKEN}", "did you mean ${env:TOKEN}?"),
        ("account: bearer\ntoken: ${env:}", "'${env:' without a variable name"),
        ("account: bearer", "the setting 'token' is missing"),
        ("account: bearer\ntoken: ''", "'token' is empty"),
        ('account: bearer\ntoken: "a\\nb"', "a character that an HTTP header cannot carry"),
        ("account: basic\nusername: a:b\npassword: ''", "contains a ':'"),
        ("account: sql\ndialect: sqlite", "'database' is missing"),
        ("account: sql\ndialect: mysql", "'host' is missing"),
        ("account: sql\ndialect: sqlite\ndatabase: a\nhost: h", "SQLite has no server"),
        ("account: s3\naccess_key_id: a", "'secret_key' is missing"),
        ("account: smtp\nserver_domain: m\nport: 70000", "'port' must be from 1 to 65,535"),
        ("account: oauth2\ntoken_url: x\nclient_id: a\nclient_secret: b", "not a valid URL"),
    ],
)
def test_a_mistake_says_what_is_wrong(text: str, message: str) -> None:
    assert message in report(text)


def test_an_account_does_not_show_its_secrets() -> None:
    found = account("account: basic\nusername: me\npassword: ${env:P}", {"P": "topsecret"})
    assert repr(found) == "BasicAccount(username='me')"


class VaultAccount(AccountKind):
    """A kind of somebody else's."""

    kind: ClassVar[str] = "vault"
    address: str = setting(help="Where it is.")


def test_a_package_may_bring_a_kind_of_its_own() -> None:
    file = read("account: vault\naddress: here", kinds=[VaultAccount])
    assert file.account == VaultAccount(address="here")
