"""Documents of CSV rows: the names of the columns, and their types."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Callable, Sequence

from engine.sdk import DataError, Document, excerpt
from snaps.shared.csv_rows import Row
from snaps.shared.typed_text import CONVERSIONS

Conversion = Callable[[str], object]


class CsvColumns:
    """The columns of one stream."""

    def __init__(self, names: Sequence[str], types: dict[str, Conversion] | None = None) -> None:
        self.names = list(names)
        self._types = types or {}
        is_usual = not self._types and 1 < len(self.names) <= _MAX_COMPILED
        self._compiled = _documents_function(self.names) if is_usual else None
        self._has_own_names = is_usual and len(set(self.names)) == len(self.names)

    def documents(self, rows: list[Row]) -> list[Document] | None:
        """The documents, if all rows have a value for each column and all values are strings."""
        if self._compiled is None:
            return None
        try:
            return self._compiled(rows)
        except ValueError:  # a row has more values, or fewer
            return None

    def are_usual(self, rows: list[Row]) -> bool:
        """Whether all rows have a value for each column, and these are strings with names of their
        own."""
        width = len(self.names)
        return self._has_own_names and (not rows or set(map(len, rows)) == {width})

    def document(self, row: Row) -> Document:
        """The document of one row, without values that have no column, and with null where one is
        missing. Raises DataError for a value that is not of the type of its column."""
        document: Document = dict(zip(self.names, row, strict=False))
        for name, convert in self._types.items():
            text = document.get(name)
            if text is not None:
                document[name] = _converted(name, text, convert)
        for name in self.names[len(row) :]:
            document[name] = None
        return document

    def extend(self, count: int) -> None:
        """Give names to columns up to this number of them: field001, field002, ..."""
        self.names += [_name_of(number) for number in range(len(self.names) + 1, count + 1)]


def names_in(header: Row, *, validate: bool = False) -> list[str]:
    """A name for each column. Raises DataError for an empty or repeated one if these are to be
    validated; otherwise it makes names of its own, so that no value is lost."""
    wanted = [name or _name_of(number) for number, name in enumerate(header, 1)]
    if validate:
        _validate(header)
    names: list[str] = []
    used = set(wanted)
    seen: Counter[str] = Counter()
    for name in wanted:
        candidate = name
        if seen[name]:
            while candidate in used:
                candidate = f"{name}_{seen[name]}"
                seen[name] += 1
            used.add(candidate)
        else:
            seen[name] = 1
        names.append(candidate)
    return names


def column_types(rows: list[Row]) -> dict[str, Conversion]:
    """The conversions of the columns that are not strings, from a line of names and one of types.
    Raises DataError."""
    if len(rows) < 2:
        raise DataError(
            "the types of the columns are incomplete",
            f"there are {len(rows)} lines, but there must be two: the names and their types",
            "write the names of the columns in the first line and their types in the second",
        )
    names, types = rows[:2]
    found = {}
    for name, written in zip(names, types + [""] * len(names), strict=False):
        kind = written.strip().lower() or "string"
        if kind not in CONVERSIONS:
            raise DataError(
                f"the type {written!r} of the column {name!r} is not known",
                "it is in the second line of the stream of types",
                f"write one of: {', '.join(CONVERSIONS)}",
            )
        if kind != "string":
            found[name] = CONVERSIONS[kind]
    return found


_MAX_COMPILED = 500


def _documents_function(names: list[str]) -> Callable[[list[Row]], list[Document]]:
    """`[{"id": v0, "name": v1} for v0, v1 in rows]`, which takes half the time of `dict(zip(…))`.

    It is built of nodes, in which the names are constants: no text of the data becomes code.
    """
    variables = [f"v{number}" for number in range(len(names))]
    document = ast.Dict(
        [ast.Constant(name) for name in names],
        [ast.Name(variable, ast.Load()) for variable in variables],
    )
    row = ast.Tuple([ast.Name(variable, ast.Store()) for variable in variables], ast.Store())
    each = ast.comprehension(row, ast.Name("rows", ast.Load()), [], 0)
    function = ast.Lambda(
        ast.arguments([], [ast.arg("rows")], None, [], [], None, []), ast.ListComp(document, [each])
    )
    code = compile(ast.fix_missing_locations(ast.Expression(function)), "<csv columns>", "eval")
    made: Callable[[list[Row]], list[Document]] = eval(code, {})  # noqa: S307  # see above
    return made


def _validate(header: Row) -> None:
    empty = [str(number) for number, name in enumerate(header, 1) if not name]
    repeated = [name for name, count in Counter(header).items() if count > 1 and name]
    if not empty and not repeated:
        return
    what = f"column {empty[0]} has no name" if empty else f"{repeated[0]!r} occurs twice"
    raise DataError(
        f"the header is not valid: {what}",
        f"the header is: {excerpt(header, 200)}",
        "correct the header, or set validate_headers to false",
    )


def _converted(name: str, text: str, convert: Conversion) -> object:
    if not text:
        return None
    try:
        return convert(text)
    except ValueError as error:
        raise DataError(
            f"the value of the column {name!r} does not have the type of the column",
            str(error),
            "correct the value, or give the column the type string",
        ) from None


def _name_of(number: int) -> str:
    return f"field{number:03}"
