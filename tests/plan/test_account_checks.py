"""Accounts are found beside the pipeline and above it, and checked with the pipeline."""

from __future__ import annotations

import pickle
from pathlib import Path
from textwrap import dedent

import pytest

from engine import api
from engine.errors import InvalidPipelineError

PIPELINE = """
snaps:
  get: {snap: RESTGet, service_url: http://h/, account: %s}
"""
BASIC = "account: basic\nusername: me\npassword: ${env:CRM_PASSWORD}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project folder with a pipeline in `flows/sales`."""
    monkeypatch.setenv("CRM_PASSWORD", "open sesame")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "pyproject.toml").touch()
    write(tmp_path, "flows/sales/get.yaml", PIPELINE % "crm")
    return tmp_path


def write(project: Path, name: str, text: str) -> None:
    path = project / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dedent(text))


def codes(path: str = "flows/sales/get.yaml") -> list[str]:
    return [problem.code for problem in api.check(path)]


def messages(path: str = "flows/sales/get.yaml") -> list[str]:
    return [f"{problem.message}; {problem.hint}" for problem in api.check(path)]


@pytest.mark.parametrize("folder", ["flows/sales", "flows", "."])
def test_an_account_may_be_beside_the_pipeline_or_above_it(project: Path, folder: str) -> None:
    write(project, f"{folder}/accounts/crm.yaml", BASIC)
    assert codes() == []


def test_the_nearest_account_counts(project: Path) -> None:
    write(project, "accounts/crm.yaml", "account: sql\ndialect: sqlite\ndatabase: x.db\n")
    write(project, "flows/accounts/crm.yaml", BASIC)
    assert codes() == []


def test_an_account_above_the_project_is_not_found(project: Path) -> None:
    write(project, "accounts/crm.yaml", BASIC)
    (project / "flows" / "pyproject.toml").touch()
    assert codes() == ["unknown-account"]


def test_accounts_may_be_in_folders_of_accounts(project: Path) -> None:
    write(project, "accounts/shared/crm.yml", BASIC)
    write(project, "flows/sales/get.yaml", PIPELINE % "shared/crm")
    assert codes() == []


@pytest.mark.parametrize(
    "name", ["../accounts/crm", "/crm", "./crm", "a//crm", "'a\\crm'", "..", "''"]
)
def test_a_name_cannot_lead_out_of_the_accounts(project: Path, name: str) -> None:
    write(project, "accounts/crm.yaml", BASIC)
    write(project, "flows/sales/get.yaml", PIPELINE % name)
    assert codes() == ["unknown-account"]


def test_the_accounts_are_named_if_none_is_near(project: Path) -> None:
    write(project, "flows/accounts/zebra.yaml", BASIC)
    write(project, "accounts/lion.yaml", BASIC)
    assert messages() == ["there is no account 'crm'; the accounts are: zebra, lion"]


def test_without_any_account_the_hint_says_where_to_write_one(project: Path) -> None:
    assert messages() == ["there is no account 'crm'; write it as accounts/crm.yaml"]


def test_all_mistakes_of_an_account_are_reported_with_their_places(project: Path) -> None:
    write(project, "flows/sales/get.yaml", PIPELINE % "crm")
    write(project, "accounts/crm.yaml", "account: basic\nusername: ${env:NOBODY}\npass: x\n")
    assert [str(problem).splitlines()[0] for problem in api.check("flows/sales/get.yaml")] == [
        "accounts/crm.yaml:2:11  unset-variable  'username' reads the environment variable "
        "'NOBODY', which is not set",
        "accounts/crm.yaml:3:1  unknown-setting  account of kind 'basic': there is no setting "
        "'pass'",
    ]


def test_a_wrong_kind_is_a_mistake(project: Path) -> None:
    write(project, "accounts/crm.yaml", "account: smtp\nserver_domain: mail\n")
    assert codes() == ["wrong-account"]


def test_an_expression_that_computes_the_name_is_checked(project: Path) -> None:
    write(project, "flows/sales/get.yaml", PIPELINE % "= _crm")
    assert codes() == ["unknown-parameter"]


def test_a_plan_holds_the_name_and_no_secret(project: Path) -> None:
    write(project, "accounts/crm.yaml", BASIC)
    plan = api.compile_plan("flows/sales/get.yaml")
    pickled = pickle.dumps(plan)
    assert b"crm" in pickled
    assert b"sesame" not in pickled
    assert pickle.loads(pickled) == plan


def test_a_pipeline_with_an_unusable_account_does_not_start(project: Path) -> None:
    write(project, "accounts/crm.yaml", "account: basic\nusername: me\npassword: ${env:NOBODY}\n")
    with pytest.raises(InvalidPipelineError, match="'NOBODY', which is not set"):
        api.run("flows/sales/get.yaml")
