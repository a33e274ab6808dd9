"""ORDER BY, and how each kind of database limits the rows of a query."""

from __future__ import annotations

from snaps.sql.shared.statements import Statement, joined

_WITHOUT_LIMIT = {"mysql": "18446744073709551615", "sqlite": "-1", "snowflake": "NULL"}
"""What stands for no limit where an offset needs one."""


def limited(
    query: Statement, order: str, limit: int | None, offset: int | None, dialect: str
) -> Statement:
    """The query in an order, without the first `offset` rows, and at most `limit` rows of it."""
    if dialect == "sqlserver" and not order and (limit is not None or offset):
        order = "(SELECT NULL)"  # it limits ordered rows only
    end = f" ORDER BY {order}" if order else ""
    if dialect in ("sqlserver", "oracle"):
        if limit is not None or offset:
            end += f" OFFSET {offset or 0} ROWS"
        if limit is not None:
            end += f" FETCH NEXT {limit} ROWS ONLY"
    else:
        if limit is not None:
            end += f" LIMIT {limit}"
        elif offset and dialect in _WITHOUT_LIMIT:
            end += f" LIMIT {_WITHOUT_LIMIT[dialect]}"
        if offset:
            end += f" OFFSET {offset}"
    return joined(query, end) if end else query
