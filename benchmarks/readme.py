"""The figures in the README: a block that is written from the results of a run."""

from __future__ import annotations

import re

from benchmarks.processes import ROOT
from benchmarks.results import Results
from benchmarks.tables import as_markdown

README = ROOT / "README.md"
SHOWN = ROOT / "benchmarks" / "results.json"
"""The results that the README shows."""

BEGIN = "<!-- Written by `python -m benchmarks --readme`; do not edit by hand. -->"
END = "<!-- End of the figures. -->"
_BLOCK = re.compile(f"{re.escape(BEGIN)}.*{re.escape(END)}", re.DOTALL)


def figures(results: Results) -> str:
    """The block, from its first comment to its last."""
    tables = "\n\n".join(as_markdown(section) for section in results.sections)
    measured = f"Measured on {results.machine}, with Python {results.python}"
    measured += (
        ", in a quick run over fewer documents, in which starting weighs more."
        if results.quick
        else "."
    )
    return f"{BEGIN}\n{measured}\n\n{tables}\n{END}"


def show(results: Results) -> None:
    """Put the figures into the README."""
    results.write(SHOWN)
    README.write_text(with_figures(README.read_text(), results))


def with_figures(text: str, results: Results) -> str:
    """The text of the README with the figures in place of the old ones."""
    return text.replace(shown_figures(text), figures(results))


def shown_figures(text: str) -> str:
    """The block that the text contains."""
    found = _BLOCK.search(text)
    if found is None:
        raise ValueError("the text has no block of figures")
    return found.group()
