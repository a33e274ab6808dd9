"""Connections to databases: those that break, those that wait, and where they end."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.documents import Batch, Document, Item
from engine.errors import ConfigurationError, ExecutionError, SnapFailedError
from engine.registry import discover
from engine.run.execution import Execution
from engine.run.host import StageHost
from engine.run.identity import identify
from engine.run.lineage import Ledger
from engine.run.services import Services
from engine.script.executor import Executor
from engine.testing import run_pipeline
from tests.snaps.sql.databases import TestDatabase
from tests.snaps.sql.servers import PostgreSQL, postgresql

BREAKS_ONCE = (
    "DROP SEQUENCE IF EXISTS tries",
    "CREATE SEQUENCE tries",
    "CREATE TABLE nuts (id INTEGER PRIMARY KEY)",
    """CREATE OR REPLACE FUNCTION break_off() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
        IF nextval('tries') = 4 THEN PERFORM pg_terminate_backend(pg_backend_pid()); END IF;
        RETURN NEW; END $$""",
    "CREATE TRIGGER break_off BEFORE INSERT ON nuts FOR EACH ROW EXECUTE FUNCTION break_off()",
)
"""The connection ends at the fourth row that is tried."""


def breaking(database: TestDatabase, **settings: Any) -> Any:
    """Of three documents, the second ends the connection."""
    end = {
        "postgresql": "SELECT pg_terminate_backend(pg_backend_pid())",
        "mysql": "KILL CONNECTION_ID()",
    }[database.dialect]
    given = [{"sql": sql} for sql in ("SELECT 1 AS n", end, "SELECT 3 AS n")]
    return database.snap("SQLExecute", given, sql_statement="= $sql", on_error="route", **settings)


class TestLostConnections:
    def test_only_the_document_at_hand_fails(self, server_database: TestDatabase) -> None:
        result = breaking(server_database)
        assert [document["n"] for document in result.output] == [1, 3]
        (error,) = result.errors
        assert error["error"] == "the connection to the database failed"
        assert error["resolution"].endswith("number_of_retries tries again")

    def test_it_is_tried_again_as_often_as_set(self, server_database: TestDatabase) -> None:
        result = breaking(server_database, number_of_retries=2, retry_interval=0)
        assert len(result.errors) == 1
        assert len(result.shown) == 2
        assert result.shown[0].endswith("trying again in 0 s")

    def test_a_batch_that_is_tried_again_is_written_once(self, postgres: TestDatabase) -> None:
        postgres.run(*BREAKS_ONCE)
        result = postgres.snap(
            "SQLInsert",
            [{"id": number} for number in range(6)],
            table_name="nuts",
            account={"batch_size": 2},
            number_of_retries=1,
            retry_interval=0,
        )
        assert [document["original"]["id"] for document in result.output] == list(range(6))
        assert postgres.rows("SELECT COUNT(*) FROM nuts") == [(6,)]

    def test_without_retries_the_rows_of_the_batch_fail(self, postgres: TestDatabase) -> None:
        postgres.run(*BREAKS_ONCE)
        result = postgres.snap(
            "SQLInsert",
            [{"id": number} for number in range(6)],
            table_name="nuts",
            account={"batch_size": 2},
            on_error="route",
        )
        assert [error["original"]["id"] for error in result.errors] == [2, 3]
        assert {error["status"] for error in result.errors} == {0}
        assert sorted(postgres.rows("SELECT id FROM nuts")) == [(0,), (1,), (4,), (5,)]

    def test_without_auto_commit_the_run_ends(self, postgres: TestDatabase) -> None:
        postgres.run(*BREAKS_ONCE)
        with pytest.raises(SnapFailedError, match="all rows of this snap are rolled back"):
            postgres.snap(
                "SQLInsert",
                [{"id": number} for number in range(6)],
                table_name="nuts",
                account={"batch_size": 2, "auto_commit": False},
                number_of_retries=5,
                on_error="route",
            )
        assert postgres.rows("SELECT id FROM nuts") == []

    def test_a_server_that_is_not_there_fails_each_document(
        self, server_database: TestDatabase
    ) -> None:
        result = server_database.snap(
            "SQLExecute",
            [{}, {}],
            sql_statement="SELECT 1",
            account={"port": 9},
            on_error="route",
        )
        assert [error["error"] for error in result.errors] == [
            "the connection to the database failed"
        ] * 2

    def test_a_refused_password_is_not_shown(self, mysql: TestDatabase) -> None:
        (error,) = mysql.snap(
            "SQLExecute",
            [{"word": "marlin-99"}],
            sql_statement="SELECT 1",
            account={"password": "marlin-99"},
            on_error="route",
        ).errors
        assert "Access denied" in error["reason"]
        assert "marlin" not in str(error)


def test_a_server_that_comes_back_is_found(tmp_path: Path) -> None:
    with postgresql() as server:
        write_account(tmp_path, server)
        (tmp_path / "p.yaml").write_text(
            "snaps:\n  one: {snap: SQLExecute, account: db, sql_statement: SELECT 1 AS n, "
            "number_of_retries: 1, retry_interval: 0}\n"
        )
        server.stop()

        def restart(label: str, line: str) -> None:
            assert "trying again" in line
            server.start()

        report = api.run(tmp_path / "p.yaml", show=restart)
        assert report.outputs == {"one.output": [{"n": 1}]}


def write_account(folder: Path, server: PostgreSQL) -> None:
    account = server.account
    (folder / "accounts").mkdir()
    (folder / "accounts/db.yaml").write_text(
        f"account: sql\ndialect: postgresql\nhost: {account.host}\nport: {account.port}\n"
        f"database: {account.database}\nusername: {account.username}\n"
    )


class TestEnds:
    def host(self, database: TestDatabase, statement: str, folder: Path) -> StageHost:
        (folder / "accounts").mkdir()
        account = database.account
        fields = {
            name: getattr(account, name)
            for name in ("dialect", "host", "port", "database", "username", "password")
            if getattr(account, name)
        }
        text = "".join(f"{name}: {value}\n" for name, value in fields.items())
        (folder / "accounts/db.yaml").write_text(f"account: sql\n{text}")
        (folder / "p.yaml").write_text(
            f"snaps:\n  wait:\n    snap: SQLExecute\n    account: db\n"
            f"    sql_statement: {statement!r}\n"
        )
        plan = api.compile_plan(folder / "p.yaml")
        self.services = Services(plan, Executor(), lambda label, text, request_id="": None)
        execution = Execution(plan, identify(plan, {}), self.services, discover())
        return StageHost(plan.stages[0], discover(), execution)

    def test_a_statement_that_runs_is_interrupted(
        self, database: TestDatabase, tmp_path: Path
    ) -> None:
        endless = {
            "sqlite": "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) "
            "SELECT COUNT(*) FROM n",
            "postgresql": "SELECT pg_sleep(600)",
            "mysql": "SELECT SLEEP(600)",
        }[database.dialect]
        host = self.host(database, endless, tmp_path)
        host.open()
        failures: list[Exception] = []

        def work() -> None:
            try:
                list(host.process("input", Batch([{}])))
            except Exception as error:  # noqa: BLE001  # looked at below
                failures.append(error)

        worker = threading.Thread(target=work)
        worker.start()
        while worker.is_alive():  # the statement may not have begun
            host.interrupt()
            worker.join(0.05)
        host.close()
        self.services.close()
        assert isinstance(failures[0], ExecutionError)
        assert "the run is ending" in str(failures[0])

    def test_all_connections_are_closed_after_a_run(self, postgres: TestDatabase) -> None:
        postgres.run("CREATE TABLE nuts (id INTEGER)")
        pipeline = """
            snaps:
              one: {snap: SQLExecute, account: db, sql_statement: SELECT 1 AS id}
              two: {snap: SQLInsert, account: db, table_name: nuts}
            links: [one -> two]
        """
        named = postgres.changed(url_properties={"application_name": "to be closed"})
        run_pipeline(pipeline, accounts={"db": named})
        assert postgres.rows("SELECT id FROM nuts") == [(1,)]
        open_ones = "SELECT pid FROM pg_stat_activity WHERE application_name = 'to be closed'"
        while postgres.rows(open_ones):  # the server notices in a moment
            pass

    def test_more_snaps_than_connections_is_an_error_that_says_so(
        self, postgres: TestDatabase
    ) -> None:
        pipeline = """
            snaps:
              one:
                snap: SQLExecute
                account: db
                sql_statement: SELECT generate_series(1, 100000) AS id
              two: {snap: SQLExecute, account: db, sql_statement: SELECT $id}
            links: [one -> two]
        """
        small = postgres.changed(max_pool_size=1, checkout_timeout=1)
        with pytest.raises(SnapFailedError, match="max_pool_size"):
            run_pipeline(pipeline, accounts={"db": small})


class TestTransactions:
    def test_a_snap_may_read_a_file_that_another_writes(self, sqlite: TestDatabase) -> None:
        sqlite.run("CREATE TABLE a (id INTEGER)", "CREATE TABLE b (id INTEGER)")
        numbers = ", ".join(f"({number})" for number in range(5000))
        sqlite.run(f"INSERT INTO a VALUES {numbers}")
        pipeline = """
            snaps:
              read: {snap: SQLSelect, account: db, table_name: a}
              write: {snap: SQLInsert, account: db, table_name: b}
            links: [read -> write]
        """
        run_pipeline(pipeline, accounts={"db": sqlite.account})
        assert sqlite.rows("SELECT COUNT(*), SUM(id) FROM b") == [(5000, 12497500)]

    def test_a_failed_batch_does_not_end_the_reading(self, sqlite: TestDatabase) -> None:
        sqlite.run("CREATE TABLE a (id INTEGER)", "CREATE TABLE b (id INTEGER UNIQUE)")
        numbers = ", ".join(f"({number // 2})" for number in range(2000))
        sqlite.run(f"INSERT INTO a VALUES {numbers}")
        pipeline = """
            snaps:
              read: {snap: SQLSelect, account: db, table_name: a}
              write: {snap: SQLInsert, account: db, table_name: b, on_error: discard}
            links: [read -> write]
        """
        result = run_pipeline(pipeline, accounts={"db": sqlite.changed(batch_size=1)})
        counts = {snap.label: snap for snap in result.report.snaps}
        assert counts["write"].documents_in == 2000
        assert counts["write"].errors == 1000
        assert sqlite.rows("SELECT COUNT(*) FROM b") == [(1000,)]

    def test_the_snap_overrides_the_account(self, database: TestDatabase) -> None:
        database.run("CREATE TABLE nuts (id INTEGER PRIMARY KEY)")
        with pytest.raises(SnapFailedError):
            database.snap(
                "SQLInsert",
                [{"id": 1}, {"id": 1}],
                table_name="nuts",
                account={"auto_commit": False, "batch_size": 1},
                auto_commit=True,
            )
        assert database.rows("SELECT id FROM nuts") == [(1,)]

    def test_statements_without_auto_commit_are_kept_at_the_end(
        self, database: TestDatabase
    ) -> None:
        database.run("CREATE TABLE nuts (id INTEGER PRIMARY KEY)")
        database.snap(
            "SQLExecute",
            [{"id": 1}, {"id": 2}],
            sql_statement="INSERT INTO nuts VALUES ($id)",
            auto_commit=False,
        )
        assert len(database.rows("SELECT id FROM nuts")) == 2

    def test_an_ultra_task_must_commit(self, sqlite: TestDatabase, tmp_path: Path) -> None:
        (tmp_path / "accounts").mkdir()
        (tmp_path / "accounts/db.yaml").write_text(
            f"account: sql\ndialect: sqlite\ndatabase: {sqlite.account.database}\n"
        )
        (tmp_path / "p.yaml").write_text(
            "snaps:\n  a: {snap: SQLExecute, account: db, sql_statement: SELECT $a, "
            "auto_commit: false}\n"
        )
        plan = api.compile_plan(tmp_path / "p.yaml")
        services = Services(plan, Executor(), lambda label, text, request_id="": None)
        identity, ledger = identify(plan, {}), Ledger(Nobody())
        execution = Execution(plan, identity, services, discover(), ledger=ledger)
        host = StageHost(plan.stages[0], discover(), execution)
        with pytest.raises(ConfigurationError, match="no end at which to commit"):
            host.open()
        services.close()


class Nobody:
    """Waits for no request."""

    def answered(self, request: int, item: list[Item]) -> None: ...
    def filtered(self, request: int) -> None: ...
    def failed(self, request: int, error: Document) -> None: ...
