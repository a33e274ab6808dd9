"""What a snap reads besides its settings and files is noticed when it changes."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Preview = Callable[..., Any]
SELECT = "snaps:\n  s: {snap: SQLSelect, account: db, table_name: t}\n"
CALL = """
snaps:
  g: {snap: JSONGenerator, documents: [{a: 1}]}
  c: {snap: PipelineExecute, pipeline: child.yaml, on_error: route}
links: [g -> c]
"""


def _database(name: str) -> None:
    connection = sqlite3.connect(name)
    with connection:
        connection.execute("create table t(n text)")
        connection.execute("insert into t values (?)", [name])
    connection.close()


@pytest.fixture
def databases(preview: Preview) -> None:
    """`one.db` and `two.db`, each with a table that holds its name."""
    _database("one.db")
    _database("two.db")
    Path("accounts").mkdir()


def _account(database: str, file: str = "accounts/db.yaml") -> None:
    Path(file).write_text(f"account: sql\ndialect: sqlite\ndatabase: {database}\n")


@pytest.mark.usefixtures("databases")
def test_another_variable_of_an_account_runs_the_snap_again(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    _account("${env:DATABASE_FILE}")
    for name in ("one.db", "two.db"):
        monkeypatch.setenv("DATABASE_FILE", name)
        assert preview(SELECT, "--allow-sql").items["s.output"] == [{"n": name}]
    assert preview(SELECT, "--allow-sql").counts["s"]["reused"]


@pytest.mark.usefixtures("databases")
def test_the_value_of_a_variable_is_not_stored(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_FILE", "two.db")
    _account("${env:DATABASE_FILE}")
    preview(SELECT.replace("}", ", where_clause: n = 'none'}"), "--allow-sql")
    (file,) = Path(".snapline/preview").iterdir()
    assert b"DATABASE_FILE" in file.read_bytes()
    assert b"two.db" not in file.read_bytes()


@pytest.mark.usefixtures("databases")
def test_a_nearer_account_of_the_same_name_is_noticed(preview: Preview) -> None:
    Path("accounts/db.yml").write_text("account: sql\ndialect: sqlite\ndatabase: one.db\n")
    assert preview(SELECT, "--allow-sql").items["s.output"] == [{"n": "one.db"}]
    _account("two.db")
    assert preview(SELECT, "--allow-sql").items["s.output"] == [{"n": "two.db"}]


@pytest.mark.usefixtures("databases")
def test_a_child_that_lacked_an_account_runs_again(preview: Preview) -> None:
    Path("child.yaml").write_text(f"pipeline: Child\n{SELECT}")
    assert "has mistakes" in preview(CALL, "--allow-sql").items["c.error"][0]["reason"]
    _account("one.db")
    assert preview(CALL, "--allow-sql").items["c.output"][0]["n"] == "one.db"


def test_another_variable_of_a_child_pipeline_runs_it_again(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("child.yaml").write_text("""
pipeline: Child
parameters: {rate: {default: "${env:RATE}"}}
snaps:
  m: {snap: JSONGenerator, documents: [{}]}
  n: {snap: Mapper, mappings: {$rate: _rate}}
links: [m -> n]
""")
    for rate in ("1", "2"):
        monkeypatch.setenv("RATE", rate)
        assert preview(CALL).items["c.output"][0]["rate"] == rate
    assert preview(CALL).counts["c"]["reused"]


def test_another_variable_of_a_script_runs_it_again(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = """
snaps:
  g: {snap: JSONGenerator, documents: [{a: 1}]}
  c:
    snap: RemotePythonScript
    env: [RATE]
    source: |
      import os
      def snaplogic_process(row):
          return {'rate': os.environ['RATE']}
links: [g -> c]
"""
    for rate in ("1", "2"):
        monkeypatch.setenv("RATE", rate)
        assert preview(script).items["c.output"] == [{"rate": rate}]


@pytest.mark.skipif(os.name == "nt", reason="files do not say when they were changed here")
def test_a_large_file_that_keeps_size_and_time_is_read_again(preview: Preview) -> None:
    read = """
snaps:
  read: {snap: FileReader, file: a.jsonl}
  parse: {snap: JSONParser, json_lines: true}
links: [read -> parse]
"""
    file = Path("a.jsonl")
    file.write_text('{"n": 1}\n' * 10_000)
    before = file.stat()
    assert preview(read).items["parse.output"][0] == {"n": 1}
    file.write_text('{"n": 2}\n' * 10_000)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert preview(read).items["parse.output"][0] == {"n": 2}
