"""Accounts that are named by an expression, or whose fields are expressions."""

from __future__ import annotations

import json
import os
import resource
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.cli import main
from engine.errors import ConfigurationError, InvalidPipelineError, SnapFailedError
from engine.run.report import Report
from tests.http_server import Received, Reply, Server, serving

BASIC = "account: basic\nusername: = 'reports-' + _tenant\npassword: = _password\n"
GET = """
parameters: {tenant: {}, password: {secret: true}, which: {default: crm}}
snaps:
  get: {snap: RESTGet, service_url: %s, account: %s, maximum_request_attempts: 1, on_error: route}
  good: {snap: Mapper, mappings: {$got: $entity}}
  bad: {snap: Mapper, mappings: {$reason: $reason, $resolution: $resolution}}
links: [get -> good, get.error -> bad]
"""


@pytest.fixture
def server() -> Iterator[Server]:
    def answer(request: Received) -> Reply:
        status = 500 if "ZmFpbA" in request.headers["authorization"] else 200
        body = json.dumps(request.headers["authorization"]).encode()
        return Reply(status, body, {"content-type": "application/json"})

    with serving(answer) as running:
        yield running


@pytest.fixture
def few_files() -> Iterator[None]:
    """The process may open 50 files more."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    with Path(os.devnull).open() as last:
        resource.setrlimit(resource.RLIMIT_NOFILE, (last.fileno() + 50, limits[1]))
        yield
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def run(project: Path, pipeline: str, given: Any = None, **parameters: str) -> Report:
    (project / "get.yaml").write_text(pipeline)
    return api.run(project / "get.yaml", inputs={"get": given or [{}]}, parameters=parameters)


def accounts(project: Path, **files: str) -> None:
    (project / "accounts").mkdir()
    for name, text in files.items():
        (project / f"accounts/{name}.yaml").write_text(text)


def test_the_fields_are_computed_from_parameters(tmp_path: Path, server: Server) -> None:
    accounts(tmp_path, crm=BASIC)
    report = run(tmp_path, GET % (server.url, "crm"), tenant="acme", password="swordfish")
    assert server.requests[0].headers["authorization"] == "Basic cmVwb3J0cy1hY21lOnN3b3JkZmlzaA=="
    assert len(report.outputs["good.output"]) == 1


def test_a_computed_secret_is_masked_in_error_documents(tmp_path: Path, server: Server) -> None:
    header = "account: header\nheaders: {authorization: = 'token ' + _tenant.concat('-ZmFpbA')}\n"
    accounts(tmp_path, crm=header)
    pipeline = (GET % (server.url, "crm")).replace("$resolution: $resolution", "$entity: $entity")
    report = run(tmp_path, pipeline, tenant="acme", password="swordfish")
    assert report.outputs["bad.output"][0]["entity"] == "***"
    assert "acme-ZmFpbA" not in str(report.outputs)


def test_each_run_of_another_pipeline_computes_them_from_its_own_parameters(
    tmp_path: Path, server: Server
) -> None:
    accounts(tmp_path, crm=BASIC)
    (tmp_path / "child.yaml").write_text(
        "parameters: {tenant: {}, password: {secret: true}}\nsnaps:\n"
        f"  get: {{snap: RESTGet, service_url: {server.url}, account: crm}}\n"
    )
    parent = "snaps: {get: {snap: PipelineExecute, pipeline: child, parameters: {tenant: = $t, "
    run(tmp_path, f"{parent}password: = $t}}}}}}\n", [{"t": "a"}, {"t": "b"}, {"t": "a"}])
    sent = [request.headers["authorization"] for request in server.requests]
    assert sent == ["Basic cmVwb3J0cy1hOmE=", "Basic cmVwb3J0cy1iOmI=", "Basic cmVwb3J0cy1hOmE="]


def test_snaps_share_the_connections_of_a_computed_account(tmp_path: Path) -> None:
    accounts(tmp_path, db="account: sql\ndialect: sqlite\ndatabase: = _which + '.db'\n")
    (tmp_path / "get.yaml").write_text(
        "parameters: {which: {default: shop}}\nsnaps:\n"
        "  get: {snap: SQLInsert, account: db, table_name: t, create_table: true}\n"
        "  read: {snap: SQLExecute, account: = 'd' + 'b', sql_statement: SELECT sum(n) AS n FROM t,"
        " pass_through: false}\nlinks: [get -> read]\n"
    )
    report = run(tmp_path, (tmp_path / "get.yaml").read_text(), [{"n": 2}])
    assert report.outputs["read.output"] == [{"n": 2}]
    assert (tmp_path / "shop.db").is_file()


def test_connections_of_accounts_that_no_child_run_uses_any_more_are_closed(
    tmp_path: Path, few_files: None
) -> None:
    accounts(tmp_path, db="account: sql\ndialect: sqlite\ndatabase: = _tenant + '.db'\n")
    (tmp_path / "child.yaml").write_text(
        "parameters: {tenant: {}}\n"
        "snaps: {one: {snap: SQLExecute, account: db, sql_statement: SELECT 1 AS one}}\n"
    )
    parent = "snaps: {get: {snap: PipelineExecute, pipeline: child, parameters: {tenant: = $t}}}"
    report = run(tmp_path, parent, [{"t": f"tenant {number % 70}"} for number in range(140)])
    assert [document["one"] for document in report.outputs["get.output"]] == [1] * 140


def test_a_number_may_be_computed_from_a_string(tmp_path: Path) -> None:
    accounts(tmp_path, mail="account: smtp\nserver_domain: 127.0.0.1\nport: = _port\n")
    send = (
        "snaps: {get: {snap: EmailSender, account: mail, to: a@x.org, sender: b@x.org, retries: 0}}"
    )
    with pytest.raises(SnapFailedError, match=r"no connection to 127\.0\.0\.1:9"):
        run(tmp_path, f"parameters: {{port: {{}}}}\n{send}\n", port="9")
    with pytest.raises(ConfigurationError, match="'port' must be from 1 to 65,535, not 0"):
        run(tmp_path, f"parameters: {{port: {{}}}}\n{send}\n", port="0")


@pytest.mark.parametrize(
    "password", ["JSON.parse('hunter2' + _tenant)", "_tenant.match('hunter2')"]
)
def test_the_expression_of_a_secret_field_is_not_shown_when_it_fails(
    password: str, tmp_path: Path
) -> None:
    accounts(tmp_path, crm=f"account: basic\nusername: ada\npassword: = {password}\n")
    with pytest.raises(
        ConfigurationError, match=r"expression of 'password' (failed|is null)"
    ) as info:
        run(tmp_path, GET % ("http://127.0.0.1:9", "crm"), tenant="a", password="b")
    assert "hunter2" not in str(info.value)


def test_a_secret_that_is_a_constant_expression_is_written_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accounts(tmp_path, crm="account: basic\nusername: = 'ada'\npassword: = '=hunter2'\n")
    assert main(["validate", str(tmp_path / "accounts/crm.yaml")]) == 0
    output = capsys.readouterr()
    assert "secret-in-file  warning: 'password' is written in the file" in output.out + output.err
    assert "hunter2" not in output.out + output.err


@pytest.mark.parametrize(
    ("field", "said"),
    [
        (
            "username: = _user",
            "the pipeline does not declare the parameter '_user' of this account",
        ),
        ("username: = $user", "so it cannot depend on one"),
        ("username: = 'a", "is not closed"),
    ],
)
def test_a_mistake_in_a_field_is_found_when_checking(field: str, said: str, tmp_path: Path) -> None:
    accounts(tmp_path, crm=f"account: basic\npassword: = _password\n{field}\n")
    with pytest.raises(InvalidPipelineError, match=said) as info:
        run(tmp_path, GET % ("http://127.0.0.1:9", "crm"), tenant="a", password="b")
    assert "crm.yaml:3:11" in str(info.value)


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("_tenant", "the expression '_tenant' of 'username' is null"),
        ("_tenant || 5", "'username': expected a string, got"),
        ("_tenant.length", "`_tenant.length` cannot be read: null has no `length`"),
    ],
)
def test_a_field_without_a_value_stops_the_run_before_it_starts(
    value: str, said: str, tmp_path: Path
) -> None:
    accounts(tmp_path, crm=f"account: basic\npassword: = _password\nusername: = {value}\n")
    with pytest.raises(ConfigurationError, match=f"the account 'crm' cannot be used: {said}"):
        run(tmp_path, GET % ("http://127.0.0.1:9", "crm"), password="b")


def test_what_the_environment_supplies_is_never_an_expression(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CRM_PASSWORD", "= _tenant")
    accounts(tmp_path, crm="account: basic\nusername: u\npassword: ${env:CRM_PASSWORD}\n")
    run(tmp_path, GET % (server.url, "crm"), tenant="acme", password="x")
    assert server.requests[0].headers["authorization"] == "Basic dTo9IF90ZW5hbnQ="


WRONG = "the account 'db' is of kind 'sql'"
KINDS = "the snap needs one of kind 'basic' or 'bearer' or 'header' or 'oauth2'"


def test_a_wrong_kind_is_found_when_checking_if_the_name_is_known(tmp_path: Path) -> None:
    accounts(tmp_path, db="account: sql\ndialect: sqlite\ndatabase: x.db\n")
    with pytest.raises(InvalidPipelineError, match=f"(?s){WRONG}.*{KINDS}"):
        run(tmp_path, GET % ("http://127.0.0.1:9", "db"))


def test_a_wrong_kind_by_a_parameter_stops_the_run_before_it_starts(tmp_path: Path) -> None:
    accounts(tmp_path, db="account: sql\ndialect: sqlite\ndatabase: x.db\n")
    with pytest.raises((ConfigurationError, SnapFailedError), match=f"{WRONG}; {KINDS}"):
        run(tmp_path, GET % ("http://127.0.0.1:9", "= _which"), which="db")


def test_a_wrong_kind_by_a_document_is_an_error_of_the_document(
    tmp_path: Path, server: Server
) -> None:
    accounts(tmp_path, db="account: sql\ndialect: sqlite\ndatabase: x.db\n", crm=BASIC)
    given = [{"who": "db"}, {"who": "nobody"}, {"who": "crm"}]
    pipeline = GET % (server.url, "= $who")
    report = run(tmp_path, pipeline, given, tenant="acme", password="x")
    assert len(report.outputs["good.output"]) == 1
    assert report.outputs["bad.output"] == [
        {"reason": WRONG, "resolution": KINDS},
        {"reason": "there is no account 'nobody'", "resolution": "the accounts are: crm, db"},
    ]


def test_the_hint_is_below_the_place_in_a_field_that_fails(tmp_path: Path) -> None:
    accounts(tmp_path, crm="account: basic\npassword: = _password\nusername: = _tenant.length.x\n")
    with pytest.raises(ConfigurationError, match=r"\^\n  hint: give the parameters"):
        run(tmp_path, GET % ("http://127.0.0.1:9", "crm"), password="b", tenant="a")
