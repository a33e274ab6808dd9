"""Calls of stored procedures, which each kind of database does in its own way."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from engine.sdk import DataError, Document
from snaps.sql.shared.names import TableName
from snaps.sql.shared.reading import columns_of
from snaps.sql.shared.session import Session
from snaps.sql.shared.statements import Mark, Statement, joined, separated
from snaps.sql.shared.values import documents_of, read_value

if TYPE_CHECKING:
    from sqlalchemy import Connection

_NO_VALUE = joined("NULL")


class Parameter(NamedTuple):
    """A parameter as the database declares it; `type` is empty where it does not matter."""

    name: str
    takes: bool
    gives: bool
    type: str = ""


class Signature(NamedTuple):
    """What the database says of a procedure; None for `parameters` if it says nothing.

    A `function` is selected from, and a call `gives_row` if that row holds its results.
    """

    parameters: Sequence[Parameter] | None = None
    function: bool = False
    gives_row: bool = False


class Outcome(NamedTuple):
    """What a call gave: the values of its output parameters, and rows."""

    outputs: Document
    rows: list[Document]


class Call(NamedTuple):
    """The statements of a call; `before` and `after` prepare it and fetch its outputs."""

    statement: Statement
    values: Sequence[Any]
    before: tuple[tuple[Statement, Sequence[Any]], ...] = ()
    after: Statement | None = None


def signature_of(connection: Connection, name: TableName, dialect: str) -> Signature:
    """What the database knows of a procedure. Raises DataError if there is none of that name."""
    query = _QUERIES.get(dialect)
    if query is None:
        return Signature()
    procedure, schema = name.reflected(connection.dialect)
    result = connection.exec_driver_sql(query, {"name": procedure, "schema": schema})
    found = [tuple(row) for row in result]
    if not found:
        raise DataError(
            "could not call the stored procedure",
            f"there is no stored procedure {name.shown!r}",
            "check stored_procedure_name",
        )
    return _SIGNATURES[dialect](found)


def call_of(
    name: str, signature: Signature, values: Sequence[Any], dialect: str, quoted: Any
) -> Call:
    """The statements that call a procedure with these values. Raises DataError."""
    arguments = _arguments(signature, values, name)
    if dialect == "mysql":
        return _mysql_call(name, arguments, quoted)
    if dialect == "sqlserver":
        return _sqlserver_call(name, arguments, quoted)
    marks = [Mark() if parameter.takes else _NO_VALUE for parameter, _ in arguments]
    if signature.function:
        marks = [mark for (each, _), mark in zip(arguments, marks, strict=True) if each.takes]
    head = "SELECT * FROM " if signature.function else "CALL "
    taken = [value for parameter, value in arguments if parameter.takes]
    return Call(joined(f"{head}{name}(", separated(marks), ")"), taken)


def run_call(session: Session, connection: Connection, call: Call, signature: Signature) -> Outcome:
    """Call the procedure. Raises DataError."""
    dialect = session.database.account.dialect
    for statement, values in call.before:
        session.execute(connection, statement, values)
    result = session.execute(connection, call.statement, call.values)
    with session.translated(call.statement):
        sets = list(_result_sets(result.cursor, dialect)) if result.returns_rows else []
        result.close()
    outputs: Document = {}
    gives = [each for each in signature.parameters or () if each.gives]
    if call.after is not None:
        found = session.execute(connection, call.after)
        keys = [parameter.name for parameter in gives]
        outputs = dict(zip(keys, map(read_value, found.one()), strict=True))
    elif sets and (signature.gives_row or (gives and dialect == "sqlserver")):
        outputs = sets.pop()[0]
    return Outcome(outputs, [document for rows in sets for document in rows])


def _result_sets(cursor: Any, dialect: str) -> Iterator[list[Document]]:
    """The documents of each result."""
    while True:
        if cursor.description is not None:
            keys, flags = columns_of(cursor.description, dialect)
            yield documents_of(keys, cursor.fetchall(), flags)
        more = getattr(cursor, "nextset", None)
        if more is None or not more():
            return


def _arguments(
    signature: Signature, values: Sequence[Any], name: str
) -> list[tuple[Parameter, Any]]:
    """Each parameter with its value: those for all parameters, or for those that take one."""
    parameters = signature.parameters
    if parameters is None:
        return [(Parameter("", takes=True, gives=False), value) for value in values]
    if len(values) == len(parameters):
        return list(zip(parameters, values, strict=True))
    taking = [parameter for parameter in parameters if parameter.takes]
    if len(values) != len(taking):
        names = ", ".join(parameter.name or "?" for parameter in taking) or "none"
        raise DataError(
            f"{name} takes {len(taking)} values, but parameter_values has {len(values)}",
            f"its parameters are: {names}",
            "give a value for each",
        )
    given = iter(values)
    return [(each, next(given) if each.takes else None) for each in parameters]


# MySQL: parameters are variables of the connection


def _mysql_call(name: str, arguments: Sequence[tuple[Parameter, Any]], quoted: Any) -> Call:
    variables = [f"@snapline_{index}" for index in range(len(arguments))]
    before = [
        (joined(f"SET {variable} = ", Mark()), [value])
        for variable, (_, value) in zip(variables, arguments, strict=True)
    ]
    outputs = [
        f"{variable} AS {quoted(parameter.name)}"
        for variable, (parameter, _) in zip(variables, arguments, strict=True)
        if parameter.gives
    ]
    after = joined(f"SELECT {', '.join(outputs)}") if outputs else None
    return Call(joined(f"CALL {name}({', '.join(variables)})"), (), tuple(before), after)


# SQL Server: one batch that declares variables, and selects them at its end


def _sqlserver_call(name: str, arguments: Sequence[tuple[Parameter, Any]], quoted: Any) -> Call:
    head: list[str | Mark | Statement] = ["SET NOCOUNT ON; "]
    passed: list[str | Mark | Statement] = []
    outputs, values, later = [], [], []
    for index, (parameter, value) in enumerate(arguments):
        if parameter.gives:
            head.append(joined(f"DECLARE @out{index} {parameter.type} = ", Mark(), "; "))
            passed.append(f"@out{index} OUTPUT")
            outputs.append(f"@out{index} AS {quoted(parameter.name)}")
            values.append(value)
        else:
            passed.append(Mark())
            later.append(value)
    end = f"; SELECT {', '.join(outputs)}" if outputs else ""
    return Call(joined(*head, f"EXEC {name} ", separated(passed), end), [*values, *later])


# What the databases know of their procedures

_QUERIES: Mapping[str, str] = {
    "postgresql": """
        SELECT p.prokind::text, p.proretset, p.pronargs, p.proargmodes::text[], p.proargnames
        FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE p.proname = %(name)s
        AND (n.nspname = %(schema)s::text
            OR (%(schema)s::text IS NULL AND pg_function_is_visible(p.oid)))
        ORDER BY p.oid LIMIT 1""",
    "mysql": """
        SELECT r.ROUTINE_TYPE, p.PARAMETER_MODE, p.PARAMETER_NAME
        FROM information_schema.ROUTINES r LEFT JOIN information_schema.PARAMETERS p
        ON p.SPECIFIC_SCHEMA = r.ROUTINE_SCHEMA AND p.SPECIFIC_NAME = r.SPECIFIC_NAME
        AND p.ORDINAL_POSITION > 0
        WHERE r.ROUTINE_NAME = %(name)s AND r.ROUTINE_TYPE = 'PROCEDURE'
        AND r.ROUTINE_SCHEMA = COALESCE(%(schema)s, DATABASE())
        ORDER BY p.ORDINAL_POSITION""",
    "sqlserver": """
        SELECT p.name, p.is_output, TYPE_NAME(p.user_type_id), p.max_length, p.precision, p.scale
        FROM sys.objects o LEFT JOIN sys.parameters p ON p.object_id = o.object_id
        WHERE o.type IN ('P', 'PC') AND o.name = %(name)s
        AND o.schema_id = COALESCE(SCHEMA_ID(%(schema)s), SCHEMA_ID())
        ORDER BY p.parameter_id""",
}


def _postgresql(found: Sequence[Any]) -> Signature:
    kind, is_set, count, modes, names = found[0]
    modes = modes or ["i"] * count
    names = names or [""] * len(modes)
    parameters = [
        Parameter(name, takes=mode in "ibv", gives=mode in "ob")
        for mode, name in zip(modes, names, strict=True)
        if mode != "t"
    ]
    gives = any(parameter.gives for parameter in parameters)
    return Signature(parameters, kind != "p", gives and not is_set)


def _mysql(found: Sequence[Any]) -> Signature:
    parameters = [
        Parameter(name, takes=mode != "OUT", gives=mode != "IN")
        for _, mode, name in found
        if name is not None
    ]
    return Signature(parameters)


def _sqlserver(found: Sequence[Any]) -> Signature:
    parameters = [
        Parameter(
            name.removeprefix("@"), takes=True, gives=bool(is_output), type=_declared(*described)
        )
        for name, is_output, *described in found
        if name is not None
    ]
    return Signature(parameters)


def _declared(name: str, length: int, precision: int, scale: int) -> str:
    """A type of SQL Server as in a declaration."""
    if name in ("decimal", "numeric"):
        return f"{name}({precision}, {scale})"
    if name in ("nvarchar", "nchar"):
        return f"{name}({'max' if length < 0 else length // 2})"
    if name in ("varchar", "char", "varbinary", "binary"):
        return f"{name}({'max' if length < 0 else length})"
    if name in ("datetime2", "time", "datetimeoffset"):
        return f"{name}({scale})"
    return name


_SIGNATURES: Mapping[str, Callable[[Sequence[Any]], Signature]] = {
    "postgresql": _postgresql,
    "mysql": _mysql,
    "sqlserver": _sqlserver,
}
