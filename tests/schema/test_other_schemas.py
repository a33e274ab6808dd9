"""The schemas of task, account and test files."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from engine.api import check
from engine.pipeline.account_file import parse_account
from engine.registry import Registry
from engine.schema import schema_text
from engine.sdk import Account, AccountKind, Settings, Snap, setting
from engine.sdk.accounts.builtin import BUILTIN_KINDS
from engine.tasks.definition.task_file import parse_task
from engine.testing.cases.reading import parse_tests
from tests.schema.conftest import Mistakes, Schemas

ROOT = Path(__file__).parents[2]
SHAPE = {"missing-setting", "unknown-setting", "wrong-type", "task-type"}
TASK = "type: triggered\npipeline: p.yaml\n"
TASKS = [
    TASK,
    TASK + "type_: x\n",
    TASK + "bearer_token: 007\nparameters: {a: 1, b: true, c: }\nallowed_origins: ['*']\n",
    TASK + "parameters: {a: [1]}\n",
    TASK + "limits: {concurrent: 10, body: 10 MiB}\ntimeouts: {request: 1.5, drain: 30s}\n",
    TASK + "limits: {in_flight: 10}\n",
    TASK + "limits: {concurent: 10}\n",
    TASK + "schedule: {every: 5m}\n",
    TASK + "schedule:\n",
    TASK + "instances: two\n",
    "type: TRIGGERED\npipeline: p.yaml\noverlap: false\n",
    "type: ultra\npipeline: p.yaml\noverlap: false\n",
    "type: ultra\npipeline: p.yaml\nfiltered_status: 204\nlimits: {in_flight: 3, queue: 4}\n",
    "type: scheduled\npipeline: p.yaml\nschedule: {cron: '*/5 * * * *', timeout: 60}\n",
    "type: scheduled\npipeline: p.yaml\nschedule: {every: 5m}\nbearer_token: x\n",
    "type: scheduled\npipeline: p.yaml\n",
    "type: sometimes\npipeline: p.yaml\n",
    "pipeline: p.yaml\n",
]
ACCOUNTS = [
    "account: basic\nusername: u\npassword: 007\n",
    "account: basic\nusername: = _user\npassword: ${env:P}\n",
    "account: basic\nusername: u\n",
    "account: basic\nusername: u\npasswort: p\n",
    "account: basic\nusername: [u]\npassword: p\n",
    "account: sql\ndatabase: POSTGRESQL\nhost: h\nport: ${env:PORT}\nname: n\n",
    "account: sql\ndatabase: ${env:KIND}\nhost: h\nport: '= _port'\nname: n\n",
    "account: sql\ndatabase: postgres\nhost: h\nname: n\n",
    "account: sql\ndatabase: mysql\nport: many\nhost: h\nname: n\n",
    "account: header\nheaders: {X-Key: '${env:K}', X-N: 5}\n",
    "account: oauth3\n",
    "username: u\n",
]
CASE = "cases:\n  first:\n    expect: {output: []}\n"
TESTS = [
    CASE,
    CASE + "    input: [{a: 1}]\n    parameters: {n: 5}\n    now: 2026-01-31T12:00:00Z\n",
    CASE + "    input: {a.input: {csv: 'a\\n1'}, b.input: []}\n    random_seed:\n",
    CASE + "    files: {a.json: '[]', b.json: [1], c: {json: {a: 1}}, d: {text: x}}\n",
    CASE + "    files: {a.json: {jsno: 1}}\n",
    CASE + "    mocks: {a: [], b: {output: [], error: []}, c: {each: [{}]}, d: {fails: no}}\n",
    CASE + "    mocks: {a: {http: [{request: {url: u}, response: {status: 200}}]}}\n",
    CASE + "    mocks: {a: {http: [{request: {}, response: {}}]}}\n",
    CASE + "    mocks: {a: 7}\n",
    CASE + "    parameters: {n: [1]}\n",
    CASE + "    random_seed: many\n",
    CASE + "    allow: read\n",
    CASE + "    tasks: {}\n",
    CASE.replace("output: []", "output: {count: 3, unordered: true, ignore: [$id]}"),
    CASE.replace("output: []", "output: {subset: [{a: 1}], equals: {file: a.json}}"),
    CASE.replace("output: []", "failure: no, diagnostics: [unknown-label], files: {a: text}"),
    CASE.replace("output: []", "files: {a: [{b: 1}], c: {contains_text: x}, d: {exists: false}}"),
    CASE.replace("output: []", "output: {cuont: 3}"),
    CASE.replace("output: []", "output: {count: many}"),
    CASE.replace("output: []", "diagnostics: unknown-label"),
    CASE + "    task: {requests: [{request: {json: 1}, response: {status: 200}}]}\n",
    CASE + "    task: {requests: [{request: {body: 1}, response: {status: 200}}]}\n",
    "cases: {}\n",
    "case: {}\n",
]


@pytest.mark.parametrize("text", TASKS)
def test_a_task_file_is_refused_as_the_engine_does(text: str, mistakes: Mistakes) -> None:
    codes = {each.code for each in parse_task(text, "t.yaml", None).problems}
    assert bool(mistakes("task", text)) is bool(codes & SHAPE)


@pytest.mark.parametrize("text", ACCOUNTS)
def test_an_account_file_is_refused_as_the_engine_does(text: str, mistakes: Mistakes) -> None:
    found = parse_account(
        text, "a.yaml", BUILTIN_KINDS, {"P": "p", "PORT": "1", "KIND": "mysql", "K": "k"}
    )
    wrong = {each.code for each in found.problems if "secret" not in each.code}
    assert bool(mistakes("account", text)) is bool(wrong)


@pytest.mark.parametrize("text", TESTS)
def test_a_test_file_is_refused_as_the_engine_does(text: str, mistakes: Mistakes) -> None:
    codes = {each.code for each in parse_tests(text).problems}
    assert bool(mistakes("test", text)) is bool(codes & SHAPE)


def test_the_test_and_task_files_of_the_repository_are_not_refused(mistakes: Mistakes) -> None:
    tests = sorted((ROOT / "pipelines").glob("*.test.yaml"))
    tasks = sorted((ROOT / "tasks").glob("*.yaml"))
    guide = (ROOT / "docs/testing.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```yaml\n(.*?)^```", guide, re.MULTILINE | re.DOTALL)
    blocks = [block for block in blocks if re.search(r"^cases:", block, re.MULTILINE)]
    assert tests
    assert tasks
    assert blocks
    for kind, files in (("test", tests), ("task", tasks)):
        for file in files:
            assert (file, mistakes(kind, file.read_text(encoding="utf-8"))) == (file, [])
    assert [path for block in blocks for path in mistakes("test", block)] == []


def test_a_task_number_has_its_limits(mistakes: Mistakes) -> None:
    assert mistakes("task", TASK + "instances: 0\n") == ["$.instances"]
    assert mistakes("task", TASK + "limits: {concurrent: 1001}\n") == ["$.limits"]
    assert mistakes("task", TASK + "limits: {concurrent: 1000}\n") == []


def test_secrets_are_marked(schemas: Schemas) -> None:
    fields = schemas["account"].schema["$defs"]["basic"]["properties"]
    assert "writeOnly" in fields["password"]
    assert "writeOnly" not in fields["username"]


class VaultAccount(AccountKind):
    """A vault."""

    kind = "vault"
    token: str = setting(help="The token.", secret=True)


class OpenVaultSettings(Settings):
    account: Account[VaultAccount] | None = setting(default=None, help="The vault.")


class OpenVault(Snap[OpenVaultSettings]):
    pass


def test_the_kinds_of_installed_snaps_are_known() -> None:
    schema = json.loads(schema_text("account", Registry({"OpenVault": OpenVault})))
    assert schema["properties"]["account"]["enum"][-1] == "vault"
    assert list(schema["$defs"]["vault"]["properties"]) == ["account", "token"]


@pytest.mark.parametrize(
    "pins",
    [
        "make: []",
        "make: [{a: 1}]",
        "make: {file: a.json}",
        "make: {output: [{a: 1}], error: {csv: 'a'}}",
        "make: 7",
        "make: {output: {flie: a.json}}",
        "make: {output: text}",
        "",
    ],
)
def test_a_pin_file_is_refused_as_the_engine_does(
    pins: str, mistakes: Mistakes, tmp_path: Path
) -> None:
    (tmp_path / "a.json").write_text("[]")
    (tmp_path / "p.yaml").write_text("snaps:\n  make: {snap: JSONGenerator, documents: []}\n")
    file = tmp_path / "p.preview.yaml"
    file.write_text(f"pins: {{{pins}}}\n" if pins else "pin: {}\n")
    codes = {each.code for each in check(file)}
    assert bool(mistakes("pins", file.read_text())) is bool(codes & SHAPE)
