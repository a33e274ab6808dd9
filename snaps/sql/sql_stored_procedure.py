"""Call a stored procedure for each document: output parameters, and the rows that it returns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from engine.sdk import (
    DataError,
    Document,
    Evaluated,
    Example,
    Issue,
    SqlAccount,
    To,
    View,
    Views,
    exact_decimals,
    setting,
)
from snaps.sql.shared.names import table_name
from snaps.sql.shared.procedures import (
    Signature,
    call_of,
    run_call,
    signature_of,
)
from snaps.sql.shared.reading import is_source, with_original
from snaps.sql.shared.settings import (
    COMMIT_CHOICES,
    FOREIGN_COMMIT,
    FOREIGN_RETRIES,
    CommitSettings,
    check_fixed,
    check_names,
    foreign,
)
from snaps.sql.shared.snap import SqlSnap
from snaps.sql.shared.statements import Statement


class SQLStoredProcedureSettings(CommitSettings):
    schema_name: Evaluated[str] = setting(
        default=Evaluated(""), help="The schema of the procedure.", example="sales"
    )
    stored_procedure_name: Evaluated[str] = setting(
        help="The procedure; the name may contain the schema.", example="sales.close_month"
    )
    parameter_values: tuple[Evaluated[Any], ...] = setting(
        default=(),
        help="Values in the order of the parameters: for all, or for all that take one.",
        example=["= $month", 12],
    )
    pass_through: bool = setting(
        default=False, help="Add the input document as `original`, if there is one."
    )


class SQLStoredProcedure(SqlSnap[SQLStoredProcedureSettings]):
    since = "0.4.0"
    about = """
    The view `output` gets one document for each call, with a field for each output parameter. The
    view `results` gets a document for each row that the procedure returns.

    A function of PostgreSQL is called in the same way: its rows are results. Output parameters are
    supported for PostgreSQL, MySQL and SQL Server; on other databases a procedure is called with
    `CALL`, and SQLite has no procedures. On SQL Server it is tested by its statements only.
    """
    foreign = foreign(
        "storedprocedure",
        "JDBC - Stored Procedure",
        {
            "schemaName": "schema_name",
            "storedProcedureName": "stored_procedure_name",
            "parameterValues[].parameterValue": "parameter_values[]",
            "passThrough": "pass_through",
            **FOREIGN_COMMIT,
            **FOREIGN_RETRIES,
        },
        choices=COMMIT_CHOICES,
        views={"output0": "output", "output1": "results"},
    )
    writes = True
    would = "call {stored_procedure_name} for {items}"
    replayable = False
    views = Views(inputs=(View("input"),), outputs=(View("output"), View("results", optional=True)))
    examples = (
        Example(
            "a database without stored procedures refuses",
            settings={"account": "shop", "stored_procedure_name": "close_month"},
            accounts={"shop": SqlAccount(dialect="sqlite", database=":memory:")},
            on_error="route",
            given=[{"month": 3}],
            expect={
                "error": [
                    {
                        "error": "close_month cannot be called",
                        "reason": "SQLite has no stored procedures",
                        "resolution": "use SQLExecute",
                        "stacktrace": "close_month cannot be called: "
                        "SQLite has no stored procedures",
                        "snap_details": {"label": "snap"},
                        "original": {"month": 3},
                    }
                ]
            },
        ),
    )

    @classmethod
    def views_for(cls, settings: SQLStoredProcedureSettings) -> Views:
        if not is_source(*settings.parameter_values):
            return cls.views
        return Views(
            inputs=(View("input", unlinked="starts by itself"),), outputs=cls.views.outputs
        )

    @classmethod
    def check(cls, settings: SQLStoredProcedureSettings) -> Iterable[Issue]:
        yield from super().check(settings)
        yield from check_fixed(settings, "schema_name", "stored_procedure_name")
        yield from check_names(settings, "schema_name", "stored_procedure_name")

    def open(self) -> None:
        super().open()
        settings = self.settings
        self._name = table_name(
            self.fixed(settings.schema_name), self.fixed(settings.stored_procedure_name)
        )
        self._signature: Signature | None = None

    def process(self, document: Document) -> Iterator[To]:
        if self.account.dialect == "sqlite":
            raise DataError(
                f"{self._name.shown} cannot be called",
                "SQLite has no stored procedures",
                "use SQLExecute",
            )
        with exact_decimals():
            values = [
                self.bound(self.context.value(value, document))
                for value in self.settings.parameter_values
            ]
        signature = self._known_signature()
        name = self._name.quoted(self.preparer)
        call = call_of(name, signature, values, self.account.dialect, self.preparer.quote)
        outcome = self.session.work(
            lambda connection: run_call(self.session, connection, call, signature)
        )
        original = document if self.settings.pass_through and self.has_input else None
        yield To("output", with_original(outcome.outputs, original))
        for row in outcome.rows:
            yield To("results", with_original(row, original))

    def _known_signature(self) -> Signature:
        if self._signature is None:
            looking = Statement((f"the parameters of {self._name.shown}",))
            with self.session.translated(looking):
                self._signature = self.session.work(
                    lambda connection: signature_of(connection, self._name, self.account.dialect)
                )
        return self._signature
