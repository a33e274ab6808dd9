"""JSON lines → snaps → JSON lines: the cases, each next to its rivals."""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.case import Case
from benchmarks.cases import load_case
from benchmarks.competitors import BASE, ENGINE, OTHER_ENGINES, Competitor, competitors_for
from benchmarks.documents import write_documents
from benchmarks.outputs import count_documents, first_difference
from benchmarks.processes import FailedProcessError, Rounds, cpu_seconds
from benchmarks.results import Row, Section

ROUNDS = 3
CHECKED = 2_000
"""Documents of the run before the rounds, whose outputs are compared one by one."""


def measure(names: Sequence[str], *, quick: bool) -> Section:
    """The named cases. Quick: a tenth of the documents, and the other engines only
    once, so that starting weighs more."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        rows = []
        for name in names:
            case = load_case(name)
            print(f"measuring: {case.title}", file=sys.stderr)
            rows.append(_measure(name, case, quick, Path(folder)))
    return Section(
        "JSON lines to JSON lines",
        "CPU µs per document",
        f"{BASE} / {ENGINE}",
        rows,
        at_least=True,
    )


def _measure(name: str, case: Case, quick: bool, folder: Path) -> Row:
    documents = case.documents // 10 if quick else case.documents
    competitors = _checked(case, competitors_for(name, case, folder), folder)
    source = _input(case, documents, folder)
    commands = {each.name: each.make_command(source, _output(each, folder)) for each in competitors}
    found = Rounds.run(commands, ROUNDS, once=OTHER_ENGINES if quick else ())
    lengths = {each.name: count_documents(_output(each, folder)) for each in competitors}
    if len(set(lengths.values())) > 1:
        raise FailedProcessError(f"{case.title}: numbers of documents differ: {lengths}")
    figures = {each.name: found.median(each.name) / documents * 1e6 for each in competitors}
    title = f"{case.title} ({documents:,})"
    return Row(title, figures, found.ratio(BASE, ENGINE), case.wanted)


def _checked(case: Case, competitors: Sequence[Competitor], folder: Path) -> list[Competitor]:
    """Those whose output equals that of the loop over orjson; other engines may be left out."""
    source = _input(case, CHECKED, folder)
    problems = {}
    for each in sorted(competitors, key=lambda each: each.name != BASE):  # what others must equal
        if problem := _problem(each, case, source, folder):
            problems[each.name] = f"{case.title}: {each.name} {problem}"
    for name, text in problems.items():
        if name not in OTHER_ENGINES:
            raise FailedProcessError(text)
        print(f"left out: {text}")
    return [each for each in competitors if each.name not in problems]


def _problem(competitor: Competitor, case: Case, source: Path, folder: Path) -> str:
    """What is wrong with the output of a competitor, in words; empty if nothing is."""
    target = _output(competitor, folder)
    try:
        cpu_seconds(competitor.make_command(source, target))
    except FailedProcessError as error:
        return str(error)
    expected = folder / f"{BASE}.jsonl"
    difference = first_difference(expected, target, any_order=case.any_order, fields=case.compared)
    return difference and f"wrote {difference}"


def _input(case: Case, documents: int, folder: Path) -> Path:
    """The file of the documents; cases with the same documents share it."""
    source = folder / f"{case.generator.__name__}-{documents}.jsonl"
    if not source.exists():
        write_documents(source, case.generator, documents)
    return source


def _output(competitor: Competitor, folder: Path) -> Path:
    return folder / f"{competitor.name}.jsonl"
