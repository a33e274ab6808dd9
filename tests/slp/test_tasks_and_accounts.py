"""Tasks and accounts become files that `engine serve` and the snaps read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.cli import main
from engine.expressions.evaluation import evaluate
from engine.pipeline.account_file import load_account
from engine.sdk import BasicAccount
from tests.slp.exports import Json, export, mapper, value, write


def imported(tmp_path: Path, name: str, content: Json) -> str:
    write(tmp_path, "in/daily_orders.slp", export({"a": mapper("Map", [("1", "$n")])}))
    write(tmp_path, f"in/{name}", content)
    assert main(["import", str(tmp_path / "in"), "-o", str(tmp_path / "project")]) == 0
    folder = {".slt": "tasks", ".sla": "accounts"}[Path(name).suffix]
    (made,) = (tmp_path / "project" / folder).iterdir()
    return made.read_text()


def task(schedule: Json, **parameters: Any) -> Json:
    return {
        "job_class": "PipelineJob",
        "job_name": "Nightly Task",
        "note": "",
        "trigger_type": "ScheduleTrigger",
        "schedule": schedule,
        "parameters": {
            "enabled": True,
            "pipeline_path": "/Acme/shop/Orders/daily_orders",
            "pipeline_parameters": {},
            **parameters,
        },
    }


def test_a_task_without_a_schedule_is_triggered(tmp_path: Path) -> None:
    given = {"region": "north", "zip": "01234", "none": None}
    text = imported(tmp_path, "n.slt", task({}, pipeline_parameters=given))
    assert (
        text
        == """\
# SnapLogic called it: Nightly Task
name: nightly_task
type: triggered
pipeline: ../daily_orders.yaml
parameters: {region: north, zip: 01234}
"""
    )
    (made,) = (tmp_path / "project/tasks").iterdir()
    assert main(["validate", str(made)]) == 2  # the pipeline has no such parameters


def test_an_ultra_task_keeps_its_instances_but_not_its_token(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = task(
        {"always_on": True},
        watchdog={"instances": 2, "per": "PLEX"},
        llfeed_token="very-secret",
        max_in_flight=50,
        enabled=False,
    )
    text = imported(tmp_path, "n.slt", content)
    assert "# It was disabled in SnapLogic.\n" in text
    assert (
        """
type: ultra
pipeline: ../daily_orders.yaml
instances: 2
bearer_token: ${env:NIGHTLY_TASK_TOKEN}
limits: {in_flight: 50}
"""
        in text
    )
    assert "very-secret" not in text
    assert "environment variable NIGHTLY_TASK_TOKEN" in capsys.readouterr().out
    (made,) = (tmp_path / "project/tasks").iterdir()
    assert main(["validate", str(made)]) == 0


REPEAT = {"cron": {"minute": "*"}, "ends": {"when": "never", "occurrences": None}}
START = {"start_date": "2024-03-05", "start_time": "02:30:00", "time_zone": "Europe/Berlin"}


@pytest.mark.parametrize(
    ("repeat", "schedule"),
    [
        (None, 'at: "2024-03-05T02:30:00"'),
        ({"by": "minutes", "every": 10}, 'at: "2024-03-05T02:30:00"\n  every: 10m'),
        ({"by": "hours", "every": 6}, 'at: "2024-03-05T02:30:00"\n  every: 6h'),
        ({"by": "days", "every": 1}, "cron: 30 2 * * *"),
        ({"by": "weeks", "every": 1}, 'at: "2024-03-05T02:30:00"\n  every: 7d'),
        ({"by": "months", "every": 1}, "cron: 30 2 5 */1 *"),
        ({"by": "cron", "cron": {"minute": "5", "hour": "1"}}, "cron: 5 1 * * *"),
    ],
)
def test_schedules(tmp_path: Path, repeat: Json, schedule: str) -> None:
    repeated = {} if repeat is None else {"repeat": {**REPEAT, **repeat}}
    text = imported(tmp_path, "n.slt", task({**START, **repeated}, execution_timeout=5))
    assert "\ntype: scheduled\n" in text
    for line in schedule.split("\n"):
        assert line.strip().replace('"', "") in text.replace('"', "")
    assert "timezone: Europe/Berlin" in text
    assert "timeout: 5m" in text
    (made,) = (tmp_path / "project/tasks").iterdir()
    assert main(["validate", str(made)]) == 0


def account(class_id: str, settings: Json, label: str = "Shop DB") -> Json:
    properties = {"info": {"label": value(label)}, "settings": settings}
    return {"class_id": class_id, "class_version": 1, "property_map": properties}


def secret(text: str) -> Json:
    return {"value": text, "sym_key": "k", "sym_iv": "i", "fp": "f", "key": "account"}


def test_an_account_keeps_its_address_and_asks_for_its_secrets(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    connection = {
        "hostname": value("db.example.org"),
        "port": value("3307"),
        "databaseName": value("shop"),
        "username": value("reports"),
        "PassPhrase": secret("ciphertext"),
    }
    settings = {
        "connectionProperties": value(connection),
        "advancedProperties": value({"batchSize": value(100), "fetchSize": value(100)}),
    }
    class_id = "com-snaplogic-snap-api-sql-accounts-mysqldatabaseaccount"
    text = imported(tmp_path, "x.sla", account(class_id, settings))
    assert (
        text
        == """\
# SnapLogic called it: Shop DB
account: sql
dialect: mysql
host: db.example.org
port: 3307
database: shop
username: reports
password: ${env:SHOP_DB_PASSWORD}
batch_size: 100
"""
    )
    assert "secrets are not in exports; set SHOP_DB_PASSWORD" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("class_id", "settings", "written"),
    [
        (
            "com-snaplogic-snaps-rest-restbasicauthaccount",
            {"username": value("ada"), "password": secret("x")},
            "account: basic\nusername: ada\npassword: ${env:SHOP_DB_PASSWORD}\n",
        ),
        (
            "com-snaplogic-snaps-apisuite-accounts-httpoauth2account",
            {"client_id": value("id"), "token_endpoint": value("https://example.org/token")},
            "account: oauth2\ntoken_url: https://example.org/token\nclient_id: id\n"
            "client_secret: ${env:SHOP_DB_CLIENT_SECRET}\n",
        ),
        (
            "com-snaplogic-snaps-email-smtpaccount",
            {"serverDomain": value("mail.example.org"), "port": value("587"),
             "secureConnection": value("TLS"), "emailId": value("a@example.org")},
            "account: smtp\nserver_domain: mail.example.org\nport: 587\nsecure_connection: tls\n"
            "email_id: a@example.org\npassword: ${env:SHOP_DB_PASSWORD}\n",
        ),
    ],
)  # fmt: skip
def test_kinds_of_accounts(tmp_path: Path, class_id: str, settings: Json, written: str) -> None:
    assert imported(tmp_path, "x.sla", account(class_id, settings)).endswith(written)


def test_an_account_of_an_unknown_kind_is_only_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    class_id = "com-snaplogic-snaps-lighthouse-lampaccount"
    text = imported(tmp_path, "x.sla", account(class_id, {"lamp": secret("x")}))
    assert text.endswith(f"account: {class_id}\n")
    assert f"accounts of the class {class_id} are not supported" in capsys.readouterr().out


def test_a_parameter_of_a_task_never_reads_the_environment(tmp_path: Path) -> None:
    content = task({}, pipeline_parameters={"key": "${env:SECRET}"})
    assert "  key: $${env:SECRET}\n" in imported(tmp_path, "nightly.slt", content)


def test_text_that_would_be_an_expression_here_stays_text(tmp_path: Path) -> None:
    class_id = "com-snaplogic-snaps-rest-restbasicauthaccount"
    settings = {"username": value("=it's ada"), "password": secret("x")}
    imported(tmp_path, "x.sla", account(class_id, settings))
    (made,) = (tmp_path / "project/accounts").iterdir()
    file = load_account(made, (BasicAccount,), {"SHOP_DB_PASSWORD": "x"})
    assert file.computed is not None
    computed = file.computed.account(lambda text: evaluate(text, {}))
    assert isinstance(computed, BasicAccount)
    assert computed.username == "=it's ada"
