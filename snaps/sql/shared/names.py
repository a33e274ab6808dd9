"""Names of tables and columns: as the author wrote them, quoted where the database needs it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from engine.sdk import ConfigurationError

_PART = re.compile(r"""\s*("(?:[^"]|"")+"|`(?:[^`]|``)+`|\[(?:[^\]]|\]\])+\]|[^\s."`\[\];]+)\s*""")
_PLAIN = re.compile(r"[A-Za-z_][\w$#]*", re.ASCII)
_CLOSING = {'"': '"', "`": "`", "[": "]"}


class BadNameError(ConfigurationError):
    """A text is not the name of a table or a column."""

    hint = 'write schema and name with a dot between them, in quotes where needed: "s"."t"'

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text

    @property
    def message(self) -> str:
        return f"{self.text!r} is not the name of a table or column"

    def __str__(self) -> str:
        return f"{self.message}; {self.hint}"


class Part(NamedTuple):
    """One part of a dotted name; `quoted` if the author put it in quotes."""

    text: str
    quoted: bool


class TableName(NamedTuple):
    """A table's name in its parts, the table last."""

    parts: tuple[Part, ...]

    def quoted(self, preparer: Any) -> str:
        """The name in a statement. A plain word stays as it is, as in the author's own SQL."""
        return ".".join(_quoted(part, preparer) for part in self.parts)

    def reflected(self, dialect: Any) -> tuple[str, str | None]:
        """Table and schema as SQLAlchemy looks them up."""
        *before, table = (_reflected(part, dialect) for part in self.parts)
        return table, ".".join(before) or None

    @property
    def shown(self) -> str:
        return ".".join(part.text for part in self.parts)


def table_name(schema: str, table: str) -> TableName:
    """The name of a table, which may contain the schema already. Raises BadNameError."""
    parts = parts_of(table)
    if schema.strip() and len(parts) == 1:
        parts = (*parts_of(schema), *parts)
    return TableName(parts)


def parts_of(text: str) -> tuple[Part, ...]:
    """The parts of a dotted name. Raises BadNameError."""
    parts, place = [], 0
    while found := _PART.match(text, place):
        parts.append(_part(found[1].strip()))
        place = found.end()
        if not text.startswith(".", place):
            break
        place += 1
    if place != len(text) or not parts or text.rstrip().endswith("."):
        raise BadNameError(text)
    return tuple(parts)


def quote_name(text: str, preparer: Any) -> str:
    """A name that the author wrote without quotes, or with those of any dialect."""
    return ".".join(_quoted(part, preparer) for part in parts_of(text))


def nearest_column(key: str, columns: Sequence[str]) -> str | None:
    """The column that a key means: of that name, or the only one if case does not count."""
    if key in columns:
        return key
    alike = [column for column in columns if column.lower() == key.lower()]
    return alike[0] if len(alike) == 1 else None


def _part(text: str) -> Part:
    closing = _CLOSING.get(text[0])
    if closing is None:
        return Part(text, quoted=False)
    return Part(text[1:-1].replace(closing * 2, closing), quoted=True)


def _quoted(part: Part, preparer: Any) -> str:
    is_word = _PLAIN.fullmatch(part.text) and part.text.lower() not in preparer.reserved_words
    if is_word and not part.quoted:
        return part.text
    return str(preparer.quote_identifier(part.text))


def _reflected(part: Part, dialect: Any) -> str:
    if dialect.requires_name_normalize:  # its lower case stands for any case
        return str(dialect.normalize_name(part.text)) if part.quoted else part.text.lower()
    folds = dialect.name in ("postgresql", "redshift")
    return part.text.lower() if folds and not part.quoted else part.text
