"""Who runs a case: the engine, the loops written by hand, and the other engines, if installed."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from benchmarks.case import Case
from benchmarks.environment import rivals_python
from benchmarks.processes import Command, engine_command

ENGINE = "Snapline"
BASE = "orjson"
"""The loop that the goals refer to."""
OTHER_ENGINES = ("DuckDB", "Polars", "jq")

REQUIREMENTS = Path(__file__).with_name("requirements.txt")
# No date has the format `-`, so what looks like one stays a string.
DUCKDB = """
import duckdb
duckdb.execute('''
    CREATE VIEW documents AS
    FROM read_json('{source}', format='newline_delimited', dateformat='-', timestampformat='-');
    COPY ({query}) TO '{target}' (FORMAT json);
''')
"""
POLARS = """
import polars as pl
documents = pl.scan_ndjson('{source}')
(
documents{query}
).sink_ndjson('{target}')
"""


@dataclass(frozen=True, slots=True)
class Competitor:
    """A command that reads `source` and writes `target`."""

    name: str
    make_command: Callable[[Path, Path], Command]


def competitors_for(name: str, case: Case, folder: Path) -> list[Competitor]:
    """All that can express the case, the engine first; its pipeline is written into the folder."""
    return [
        engine_competitor(name, case, folder),
        *(loop_competitor(name, library) for library in (BASE, "msgspec")),
        *_other_engines(case),
    ]


def engine_competitor(name: str, case: Case, folder: Path) -> Competitor:
    """The engine; the pipeline of the case is written into the folder."""
    pipeline = folder / f"{name}.yaml"
    pipeline.write_text(case.pipeline)

    def command(source: Path, target: Path) -> Command:
        parameters = ("--param", f"input={source}", "--param", f"output={target}")
        return engine_command("run", str(pipeline), "--quiet", *parameters)

    return Competitor(ENGINE, command)


@cache
def missing_engines() -> list[str]:
    """The other engines that are not installed, and cannot be."""
    python = rivals_python("engines", REQUIREMENTS)
    modules = {"DuckDB": "duckdb", "Polars": "polars"}
    missing = [name for name, module in modules.items() if not _has_module(python, module)]
    return missing if shutil.which("jq") else [*missing, "jq"]


def loop_competitor(name: str, library: str) -> Competitor:
    """A loop of the case: over orjson or msgspec, or the `exact` one."""
    module = [sys.executable, "-m", "benchmarks.loop", name, library]
    return Competitor(library, lambda source, target: Command([*module, str(source), str(target)]))


def _other_engines(case: Case) -> list[Competitor]:
    python = str(rivals_python("engines", REQUIREMENTS))

    def script(template: str, query: str) -> Callable[[Path, Path], Command]:
        return lambda source, target: Command(
            [python, "-c", template.format(source=source, target=target, query=query)]
        )

    found = []
    if case.duckdb:
        found.append(Competitor("DuckDB", script(DUCKDB, case.duckdb)))
    if case.polars:
        found.append(Competitor("Polars", script(POLARS, case.polars)))
    if case.jq:
        jq = ["jq", "--compact-output", case.jq]
        found.append(
            Competitor("jq", lambda source, target: Command([*jq, str(source)], stdout=target))
        )
    missing = missing_engines()
    return [each for each in found if each.name not in missing]


def _has_module(python: Path, module: str) -> bool:
    return subprocess.run([python, "-c", f"import {module}"], capture_output=True).returncode == 0
