"""A measured case: a pipeline from JSON lines to JSON lines, and its rivals, which do the same."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

Loop = Callable[[Iterable[bytes], Callable[[bytes], object]], None]
"""A loop over the lines of a file, written by hand: it gets them, and a function that writes."""

Generator = Callable[[Random, int], dict[str, Any]]
"""Makes the document of a number. Whatever varies comes from the random numbers."""

PIPELINE = """\
pipeline: "{title}"
parameters:
  input: {{required: true}}
  output: {{required: true}}
snaps:
  read: {{snap: FileReader, file: = _input}}
  parse: {{snap: JSONParser, json_lines: true}}
{snaps}\
  format: {{snap: JSONFormatter, json_lines: true}}
  write: {{snap: FileWriter, file: = _output}}
links:
  - read -> parse
{links}\
  - format -> write
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One row of the table. A query is empty if its language cannot express the case."""

    title: str
    wanted: float
    """The goal: CPU time of the loop over orjson, divided by that of the engine."""
    generator: Generator
    snaps: str
    links: str
    """`snaps` and `links` lie between the parser and the formatter."""
    by_orjson: Loop
    by_msgspec: Loop
    duckdb: str = ""
    """A query of the table `documents`."""
    polars: str = ""
    """The calls that follow the lazy frame `documents`."""
    jq: str = ""
    documents: int = 1_000_000
    any_order: bool = False
    """Whether the outputs may differ in the order of their documents."""
    compared: tuple[str, ...] = ()
    """The fields of the output that must be equal; all of them if empty."""

    @property
    def pipeline(self) -> str:
        return PIPELINE.format(title=self.title, snaps=self.snaps, links=self.links)
