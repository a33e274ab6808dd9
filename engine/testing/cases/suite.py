"""Run the cases of several test files, in this process or in several others."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from multiprocessing import get_context

import msgspec

from engine.errors import Problem
from engine.registry import Registry, discover
from engine.testing.cases.coverage import Hits, merged, points_of
from engine.testing.cases.preparing import Prepared, prepare
from engine.testing.cases.reading import load_tests
from engine.testing.cases.result import CaseResult
from engine.testing.cases.running import run_case


class Suite(msgspec.Struct, frozen=True):
    """The cases of all files without mistakes, and the mistakes of the others."""

    cases: tuple[Prepared, ...]
    problems: tuple[Problem, ...]


def load_suite(files: Sequence[str], registry: Registry, word: str = "") -> Suite:
    """The cases of these files whose `FILE::NAME` contains the word, in any case.

    Raises ConfigurationError if a file cannot be opened.
    """
    cases: list[Prepared] = []
    problems: list[Problem] = []
    for file in files:
        found, mistakes = prepare(load_tests(file), registry)
        problems += mistakes
        if not mistakes:
            cases += [each for each in found if _is_chosen(each, word)]
    return Suite(tuple(cases), tuple(problems))


def run_suite(
    cases: Sequence[Prepared],
    *,
    processes: int = 1,
    update: bool = False,
    coverage: bool = False,
) -> Generator[CaseResult, None, None]:
    """The results in the order of the cases; whoever stops early stops the run."""
    if processes < 2 or len(cases) < 2:
        for case in cases:
            yield run_case(case, update=update, coverage=coverage)
        return
    with ProcessPoolExecutor(min(processes, len(cases)), get_context("spawn")) as pool:
        waiting = [
            pool.submit(_run_named, each.file.path, each.case.name, update, coverage)
            for each in cases
        ]
        try:
            for result in waiting:
                yield result.result()
        finally:
            pool.shutdown(cancel_futures=True)


def coverage_of(
    cases: Sequence[Prepared], results: Sequence[CaseResult], registry: Registry
) -> dict[str, Hits]:
    """The coverage of each pipeline that the cases test, also of what no case has run."""
    found: dict[str, list[Hits]] = {}
    for case in cases:
        spec = case.original
        if spec.path not in found:
            found[spec.path] = [points_of(spec, registry)]
    for result in results:
        found[result.pipeline].append(dict(result.hits))
    return {path: merged(hits) for path, hits in found.items()}


def _is_chosen(prepared: Prepared, word: str) -> bool:
    return word.lower() in f"{prepared.file.path}::{prepared.case.name}".lower()


def _run_named(path: str, name: str, update: bool, coverage: bool) -> CaseResult:
    """Run one case in another process, which reads each file once."""
    return run_case(_cases_of(path)[name], update=update, coverage=coverage)


@cache
def _cases_of(path: str) -> dict[str, Prepared]:
    prepared, _ = prepare(load_tests(path), discover())
    return {each.case.name: each for each in prepared}
