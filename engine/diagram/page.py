"""A drawing as a self-contained HTML page: the graph, and tables that say the same in words."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from engine.diagram.diagram import Diagram, DrawnPort
from engine.diagram.drawing import kind_of
from engine.diagram.svg import svg

_STYLE = """
:root { color-scheme: light dark; --ground: #f5f7fa; --card: #fff; --ink: #1b2430;
  --dim: #5a6675; --edge: #d5dbe4; --error: #c22f3d; }
@media (prefers-color-scheme: dark) { :root { --ground: #0f1318; --card: #14181f; --ink: #e7ecf3;
  --dim: #a3afc0; --edge: #333d4b; --error: #ff7b85; } }
body { margin: 0; padding: 1.5rem; background: var(--ground); color: var(--ink);
  font: 15px/1.45 Helvetica, Arial, "Liberation Sans", sans-serif; }
main { max-width: 90rem; margin: auto; }
h1 { font-size: 1.5rem; margin: 0 0 .25rem; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
p { margin: 0 0 1rem; color: var(--dim); }
.graph, .table { overflow: auto; background: var(--card); border: 1px solid var(--edge);
  border-radius: 8px; }
.graph:focus-visible, .table:focus-visible { outline: 2px solid #3b82f6; }
.graph svg { display: block; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; padding: .35rem .75rem; border-bottom: 1px solid var(--edge);
  vertical-align: top; }
tr:last-child td { border-bottom: 0; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
span.failed { color: var(--error); font-weight: bold; }
.failure { color: var(--error); }
pre { margin: 0; padding: .5rem .75rem; overflow: auto; white-space: pre-wrap;
  overflow-wrap: anywhere; background: var(--card); border: 1px solid var(--edge);
  border-radius: 8px; font: 12.5px/1.4 ui-monospace, Menlo, Consolas, monospace; }
pre + pre, p + pre, pre + .graph { margin-top: .5rem; }
details { margin: .35rem 0; }
summary { cursor: pointer; padding: .25rem 0; }
summary b { margin-left: .5rem; font-variant-numeric: tabular-nums; }
details p { margin: .25rem 0 .5rem; }
"""


def page(diagram: Diagram) -> str:
    """A complete HTML page."""
    return document(diagram.name, [*graph_section(diagram), *tables(diagram)])


def document(title: str, sections: Iterable[str]) -> str:
    """A page with a title and these sections."""
    lines = [
        "<!doctype html>",
        '<html lang="en">',
        '<head><meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<title>{text(title)}</title>",
        f"<style>{_STYLE}</style></head>",
        "<body><main>",
        *sections,
        "</main></body></html>",
    ]
    return "\n".join(lines) + "\n"


def graph_section(diagram: Diagram, notes: Iterable[str] = ()) -> Iterator[str]:
    """The title, the description, notes in HTML, and the graph, which keys can scroll."""
    yield f"<h1>{text(diagram.name)}</h1>"
    if diagram.description:
        yield f"<p>{text(diagram.description)}</p>"
    yield from notes
    yield '<div class="graph" tabindex="0" role="region" aria-label="Graph">'
    yield svg(diagram, has_title=False).rstrip()
    yield "</div>"


def tables(diagram: Diagram) -> Iterator[str]:
    """The snaps and the links as tables."""
    has_counts = any(link.count is not None for link in diagram.links)
    has_notes = any(snap.note for snap in diagram.snaps)
    yield "<h2>Snaps</h2>"
    heads = ["snap", "type", "inputs", "outputs", *(["last run"] if has_notes else [])]
    rows = [
        [
            text(snap.label),
            text(kind_of(snap)),
            _ports(snap.inputs),
            _ports(snap.outputs),
            *([_marked(text(snap.note), is_failed=snap.is_failed)] if has_notes else []),
        ]
        for snap in diagram.snaps
    ]
    yield from table("Snaps", heads, rows)
    yield "<h2>Links</h2>"
    heads = ["from", "to", "carries", "when", *(["documents"] if has_counts else [])]
    rows = []
    for link in diagram.links:
        output, _ = diagram.ports(link)
        counts = [f"{link.count:,}" if link.count is not None else ""] if has_counts else []
        ends = map(text, diagram.ends(link))
        rows.append([*ends, _carried(output), text(output.condition), *counts])
    yield from table("Links", heads, rows, numbers=(4,))


def table(
    label: str, heads: Sequence[str], rows: Iterable[Sequence[str]], numbers: Sequence[int] = ()
) -> Iterator[str]:
    """A table of cells that are HTML; the columns with these numbers are right-aligned."""

    def cell(name: str, place: int, content: str) -> str:
        kind = ' class="number"' if place in numbers else ""
        scope = ' scope="col"' if name == "th" else ""
        return f"<{name}{scope}{kind}>{content}</{name}>"

    yield f'<div class="table" tabindex="0" role="region" aria-label="{text(label)}"><table>'
    head = "".join(cell("th", place, content) for place, content in enumerate(heads))
    yield f"<thead><tr>{head}</tr></thead><tbody>"
    for row in rows:
        cells = "".join(cell("td", place, content) for place, content in enumerate(row))
        yield f"<tr>{cells}</tr>"
    yield "</tbody></table></div>"


def text(content: str) -> str:
    """Text for HTML, without characters that it cannot hold."""
    return escape("".join(c if c.isprintable() or c == "\n" else "\ufffd" for c in content))


def _ports(ports: Sequence[DrawnPort]) -> str:
    return text(", ".join(f"{port.name}{' (open)' * port.is_open}" for port in ports))


def _carried(port: DrawnPort) -> str:
    return {"document": "documents", "binary": "binary streams", "error": "error documents"}.get(
        port.carries, ""
    )


def _marked(content: str, *, is_failed: bool) -> str:
    return f'<span class="failed">{content}</span>' if is_failed else content
