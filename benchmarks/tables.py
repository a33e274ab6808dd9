"""Sections of results as text for a terminal, and as Markdown for the README."""

from __future__ import annotations

from benchmarks.results import Row, Section


def as_text(section: Section) -> str:
    """Columns as wide as their contents, numbers to the right."""
    columns = section.columns()
    heads = [f"{section.title}, {section.unit}", *columns, "ratio", "goal"]
    table = [heads, *([*_cells(row, columns), section.goal(row)] for row in section.rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    lines = [
        "  ".join([first.ljust(widths[0]), *(map(str.rjust, rest, widths[1:-1])), last]).rstrip()
        for first, *rest, last in table
    ]
    return "\n".join([*lines, f"ratio: {section.ratio}"])


def as_markdown(section: Section) -> str:
    columns = section.columns()
    rows = [
        [f"{section.title}, {section.unit}", *columns, section.ratio],
        ["---", *("---:" for _ in columns), "---:"],
        *([cell.replace("|", "\\|") for cell in _cells(row, columns)] for row in section.rows),
    ]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in rows)


def _cells(row: Row, columns: list[str]) -> list[str]:
    figures = (row.figures.get(name) for name in columns)
    return [row.title, *("–" if each is None else _figure(each) for each in figures), _ratio(row)]


def _ratio(row: Row) -> str:
    return f"{row.ratio:.2f}"


def _figure(figure: float) -> str:
    """Three digits, without an exponent."""
    return f"{figure:,.0f}" if figure >= 100 else f"{figure:.3g}"
