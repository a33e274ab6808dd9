"""What all snaps of databases do: use the database of their account, and bind values."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from typing import Any, TypeVar

from engine.sdk import (
    BoundText,
    ConfigurationError,
    Document,
    Evaluated,
    Expression,
    Issue,
    Snap,
    exact_decimals,
)
from snaps.sql.shared.database import Database
from snaps.sql.shared.names import TableName, table_name
from snaps.sql.shared.session import Session
from snaps.sql.shared.settings import SqlSettings, TableSettings, check_bound_texts, check_numbers
from snaps.sql.shared.statements import Statement
from snaps.sql.shared.values import Binder

S = TypeVar("S", bound=SqlSettings)
_MAX_STATEMENTS = 1_000
_NO_DOCUMENT: Document = {}


class SqlSnap(Snap[S]):
    """Base of the snaps that use a database."""

    stateful = False
    blocking = True
    reaches = "database"
    plain = True
    changes_input = False
    shares_output = True
    _session: Session | None = None

    @classmethod
    def check(cls, settings: S) -> Iterable[Issue]:
        yield from check_numbers(settings)
        yield from check_bound_texts(settings)

    def open(self) -> None:
        settings = self.settings
        account = self.context.account(settings.account)
        database = self.context.shared(account, Database)
        commits = self._commits(account.auto_commit)
        if self.context.in_ultra and not commits:
            raise ConfigurationError(
                "an ultra task has no end at which to commit; set auto_commit to true"
            )
        self.account = account
        self.has_input = bool(self.views_for(settings).inputs) and self.context.linked("input")
        self._session = Session(
            database,
            self.context,
            commits=commits,
            retries=settings.number_of_retries,
            interval=settings.retry_interval,
        )
        self._binder = Binder(account.dialect)
        self._statements: dict[str, Statement] = {}
        self._readers: dict[str, Callable[[Document], Any]] = {}

    def _commits(self, account: bool) -> bool:
        own: bool | None = getattr(self.settings, "auto_commit", None)
        return account if own is None else own

    @property
    def session(self) -> Session:
        assert self._session is not None  # open() was called
        return self._session

    @property
    def dialect(self) -> Any:
        """SQLAlchemy's description of the database."""
        return self.session.database.engine.dialect

    @cached_property
    def preparer(self) -> Any:
        """What quotes names as the database does."""
        preparer = self.dialect.preparer(self.dialect)
        preparer._double_percents = False  # for_driver doubles them
        return preparer

    def fixed(self, setting: Evaluated[str]) -> str:
        """A setting that is computed once per run."""
        return self.context.value(setting, _NO_DOCUMENT)

    def table(self, settings: TableSettings) -> TableName:
        """The table that the settings name. Raises ConfigurationError."""
        return table_name(self.fixed(settings.schema_name), self.fixed(settings.table_name))

    def statement(self, text: BoundText, document: Document) -> Statement:
        """The statement for a document. Raises DataError if its expression fails."""
        return self.parsed(self.context.value(text, document))

    def parsed(self, text: str) -> Statement:
        """The statement in a text."""
        statement = self._statements.get(text)
        if statement is None:
            if len(self._statements) >= _MAX_STATEMENTS:
                self._statements.clear()
            statement = self._statements[text] = Statement.parse(text)
        return statement

    def values(self, statement: Statement, document: Document) -> list[Any]:
        """The values of a statement's paths. Raises DataError if one is missing."""
        with exact_decimals():
            return [
                self.bound(self._reader(mark.path)(document), mark.path) for mark in statement.marks
            ]

    def bound(self, value: Any, name: str = "a value") -> Any:
        """A value as the driver takes it. Raises DataError, which calls it `name`."""
        return self._binder.bound(value, name)

    def all_bound(self, values: Iterable[Any]) -> Sequence[Any]:
        """Several values as the driver takes them. Raises DataError."""
        return list(map(self._binder.bound, values))

    def finish(self) -> Iterable[Document]:
        self.session.commit()
        return ()

    loses_lineage = ""

    def interrupt(self) -> None:
        if self._session is not None:
            self._session.interrupt()

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    def _reader(self, path: str) -> Callable[[Document], Any]:
        reader = self._readers.get(path)
        if reader is None:
            reader = self._readers[path] = self.context.function(Expression(path))
        return reader
