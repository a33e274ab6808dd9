"""Accounts on the command line: found, checked with a folder, and never shown."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.http_server import Reply, serving

GET = """
snaps:
  get: {snap: RESTGet, service_url: %s, account: = _account, maximum_request_attempts: 1}
  out: {snap: JSONFormatter}
  write: {snap: FileWriter, file: errors.json}
parameters: {account: crm}
links: [get.error -> out -> write]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "accounts").mkdir()
    (tmp_path / "accounts/crm.yaml").write_text("account: bearer\ntoken: ${env:CRM_TOKEN}\n")
    return tmp_path


def environment() -> dict[str, str]:
    return {**os.environ, "CRM_TOKEN": "swordfish", "NO_PROXY": "*"}


def test_a_folder_is_checked_with_its_accounts(engine: Any, project: Path) -> None:
    (project / "accounts/mail.yaml").write_text("account: smpt\n")
    done = engine("validate", ".", env=environment())
    assert done.returncode == 2
    assert done.stdout.splitlines() == ["accounts/crm.yaml: ok", "accounts/mail.yaml: 1 error"]
    assert "hint: did you mean 'smtp'?" in done.stderr


def test_an_account_of_a_package_is_checked(engine: Any, project: Path, with_snap: Any) -> None:
    source = '''
"""Open a vault."""
from typing import ClassVar
from engine.sdk import Account, AccountKind, Document, Settings, Snap, setting

class VaultAccount(AccountKind):
    kind: ClassVar[str] = "vault"
    address: str = setting(help="Where it is.")

class VaultOpenSettings(Settings):
    account: Account[VaultAccount] = setting(help="The vault.")

class VaultOpen(Snap[VaultOpenSettings]):
    def process(self, document: Document) -> Document:
        return {"address": self.context.account(self.settings.account).address}
'''
    (project / "accounts/bank.yaml").write_text("account: vault\naddress: under the sea\n")
    (project / "open.yaml").write_text("snaps: {a: {snap: VaultOpen, account: bank}}")
    env = with_snap("vault_open", source)
    assert "bank.yaml: ok" in engine("validate", "accounts/bank.yaml", env=env).stdout
    assert engine("run", "open.yaml", "--quiet", env=env).stdout == '{"address":"under the sea"}\n'


def test_a_run_sends_the_secret_and_shows_it_nowhere(engine: Any, project: Path) -> None:
    def echo(request: Any) -> Reply:
        return Reply(500, f"no {request.headers['authorization']}".encode())

    with serving(echo) as server:
        (project / "get.yaml").write_text(GET % server.url)
        done = engine("run", "get.yaml", "--report", "report.json", env=environment())
        assert server.requests[0].headers["authorization"] == "Bearer swordfish"
    written = (project / "errors.json").read_text()
    assert "no Bearer ***" in written
    everything = written + done.stdout + done.stderr + (project / "report.json").read_text()
    assert "swordfish" not in everything


def test_a_run_with_an_unknown_account_says_which_there_are(engine: Any, project: Path) -> None:
    (project / "get.yaml").write_text(GET % "http://127.0.0.1:9/")
    done = engine("run", "get.yaml", "--param", "account=cmr", env=environment())
    assert done.returncode == 2
    assert "there is no account 'cmr'; did you mean 'crm'?" in done.stderr


def test_a_run_without_the_variable_does_not_start(engine: Any, project: Path) -> None:
    (project / "get.yaml").write_text((GET % "http://127.0.0.1:9/").replace("= _account", "crm"))
    done = engine("run", "get.yaml")
    assert done.returncode == 2
    assert "reads the environment variable 'CRM_TOKEN', which is not set" in done.stderr
