"""`engine test`: run the cases of test files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from time import perf_counter
from typing import TextIO

from engine.cli.coverage_table import coverage_table
from engine.cli.options import add_parameters, given_parameters
from engine.cli.problems import has_colours, print_problems
from engine.cli.report_files import report_file
from engine.cli.wrapping import are_carets, fitted, width_of, wrapped
from engine.errors import ConfigurationError
from engine.registry import Registry, discover
from engine.run.garbage_collection import relax_garbage_collection
from engine.testing.cases.coverage import Hits, lcov, percent
from engine.testing.cases.documents import GivenError, documents_in
from engine.testing.cases.finding import find_tests
from engine.testing.cases.junit import junit_xml
from engine.testing.cases.preparing import Prepared
from engine.testing.cases.result import PIPELINE_HAS_ERRORS, CaseResult
from engine.testing.cases.suite import coverage_of, load_suite, run_suite
from engine.visible import visible_line

_BOLD, _RED, _GREEN, _CYAN, _PLAIN = (f"\x1b[{code}m" for code in (1, 31, 32, 36, 0))


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "paths",
        nargs="*",
        default=["."],
        metavar="PATH",
        help="a test file (*.test.yaml), the pipeline beside it, or a folder to search at any "
        "depth (default: this one)",
    )
    parser.add_argument(
        "-k",
        dest="word",
        metavar="WORD",
        default="",
        help="run only cases whose name or file has WORD",
    )
    parser.add_argument(
        "-x", dest="first", action="store_true", help="stop after the first case that fails"
    )
    parser.add_argument(
        "-j",
        dest="processes",
        metavar="N",
        type=_count,
        default=1,
        help="run the cases in N processes (default: 1)",
    )
    parser.add_argument(
        "--update", action="store_true", help="write snapshots instead of comparing them"
    )
    parser.add_argument("--junit", metavar="FILE", help="write the results as JUnit XML to FILE")
    parser.add_argument(
        "--coverage",
        action="store_true",
        help="show how much of each pipeline the cases have run, and what they have not",
    )
    parser.add_argument("--lcov", metavar="FILE", help="write the coverage for lcov to FILE")
    parser.add_argument(
        "--fail-under",
        metavar="PERCENT",
        type=_percentage,
        help="fail if less than PERCENT of the pipelines was run",
    )
    parser.add_argument(
        "--record",
        metavar="PIPELINE",
        help="run the pipeline once, and write what happened as a case of the test file beside it",
    )
    parser.add_argument(
        "--input", metavar="FILE", help="with --record: documents for the open input (JSON or CSV)"
    )
    parser.add_argument(
        "--name", metavar="CASE", default="recorded", help="with --record: the name of the case"
    )
    add_parameters(parser)


def run(arguments: argparse.Namespace) -> int:
    """0 if all cases passed, 1 if one failed, 2 if a test file has mistakes or there is no case."""
    relax_garbage_collection()
    started = perf_counter()
    registry = discover()
    if arguments.record:
        return _record(arguments, registry)
    suite = load_suite(find_tests(arguments.paths), registry, arguments.word)
    print_problems(suite.problems, sys.stderr)
    if not suite.cases and not suite.problems:
        raise ConfigurationError(f"no case has {arguments.word!r} in its name or file")
    with (
        report_file(arguments.junit, "--junit", create_folder=True) as write_junit,
        report_file(arguments.lcov, "--lcov", create_folder=True) as write_lcov,
    ):
        printer = _Printer(sys.stdout)
        results = list(_results(suite.cases, arguments, printer))
        seconds = perf_counter() - started
        printer.conclude(results, len(suite.cases), len(suite.problems), seconds)
        if arguments.junit:
            write_junit(junit_xml(results))
        is_covered = True
        if _measures(arguments):
            coverage = coverage_of(suite.cases, results, registry)
            write_lcov(lcov(coverage).encode())
            is_covered = _report_coverage(coverage, arguments)
    if suite.problems:
        return 2
    return 0 if is_covered and all(result.passed for result in results) else 1


def _measures(arguments: argparse.Namespace) -> bool:
    return bool(arguments.coverage or arguments.lcov or arguments.fail_under is not None)


def _results(
    cases: Sequence[Prepared], arguments: argparse.Namespace, printer: _Printer
) -> Iterator[CaseResult]:
    """Run the cases, and show each result as it comes."""
    running = run_suite(
        cases,
        processes=arguments.processes,
        update=arguments.update,
        coverage=_measures(arguments),
    )
    with closing(running):
        for result in running:
            printer.show(result)
            yield result
            if arguments.first and not result.passed:
                return


def _record(arguments: argparse.Namespace, registry: Registry) -> int:
    """Record a case, and run it: 0 if it passes."""
    from engine.testing.cases.capturing import record  # few runs record a case

    documents = None
    if arguments.input is not None:
        try:
            documents = documents_in(Path(arguments.input), ())
        except GivenError as error:
            raise ConfigurationError(f"--input: {error.message}") from None
    recording = record(
        arguments.record,
        registry,
        name=arguments.name,
        parameters=given_parameters(arguments),
        documents=documents,
    )
    print(f"wrote the case {recording.name!r} to {recording.path}")
    for note in recording.notes:
        print(f"  {note}")
    suite = load_suite([recording.path], registry)
    chosen = [case for case in suite.cases if case.case.name == recording.name]
    printer = _Printer(sys.stdout)
    results = list(run_suite(chosen))
    for result in results:
        printer.show(result)
    return 0 if results and all(result.passed for result in results) else 1


def _report_coverage(coverage: Mapping[str, Hits], arguments: argparse.Namespace) -> bool:
    """Show the coverage; whether it is high enough."""
    if arguments.coverage:
        print(coverage_table(coverage, width_of(sys.stdout)))
    reached = percent([count for hits in coverage.values() for count in hits.values()])
    least = arguments.fail_under
    if least is None or reached >= least:
        return True
    print(f"the coverage is {reached:.1f} %, less than the {least:g} % of --fail-under")
    return False


class _Printer:
    """Shows each result as it comes, below the name of its file."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._has_colours = has_colours(out)
        self._width = width_of(out)
        self._file = ""
        self._shown: set[tuple[str, ...]] = set()

    def show(self, result: CaseResult) -> None:
        if result.path != self._file:
            self._file = result.path
            self._line(self._styled(result.path, _BOLD))
        verdict = self._styled("ok  ", _GREEN) if result.passed else self._styled("FAIL", _RED)
        name = visible_line(result.name)
        title = wrapped(f"  ----  {name}  ({result.seconds * 1000:.0f} ms)", self._width, 8)
        self._line(title.replace("----", verdict, 1))
        for note in result.notes:
            self._line(wrapped(f"        {note}", self._width, 10))
        for failure in result.failures:
            place = str(failure.where)
            said = wrapped(f"        {place}  {failure.message}", self._width, 10)
            self._line(said.replace(place, self._styled(place, _BOLD), 1))
            details = tuple(failure.details)
            if failure.message == PIPELINE_HAS_ERRORS and details in self._shown:
                details = ("the same as above",)
            self._shown.add(details)
            for line, below in zip(details, [*details, ""][1:], strict=True):
                if are_carets(below):
                    self._show_place(line, below)
                elif not are_carets(line):
                    self._show_detail(line)
        self._out.flush()

    def _show_detail(self, line: str) -> None:
        colour = {"-": _RED, "+": _GREEN}.get(line[:1], "")
        if line.lstrip().startswith("hint:"):
            colour = _CYAN
        self._line(self._styled(wrapped(f"            {line}", self._width, 14), colour))

    def _show_place(self, line: str, carets: str) -> None:
        """A line of a file or an expression, cut around the place that the carets mark."""
        for shown in fitted(f"{line}\n{carets}", max(self._width - 12, 0)).split("\n"):
            self._line(f"            {shown}")

    def conclude(
        self, results: Sequence[CaseResult], count: int, problems: int, seconds: float
    ) -> None:
        failed = sum(not result.passed for result in results)
        parts = [f"{len(results) - failed} passed"]
        parts += [f"{failed} failed"] if failed else []
        skipped = count - len(results)
        parts += [f"{skipped} not run"] if skipped else []
        parts += [f"{problems} mistake{'s' * (problems > 1)} in test files"] if problems else []
        colour = _RED if failed or problems else _GREEN
        self._line(self._styled(f"{', '.join(parts)} in {seconds:.1f} s", colour))

    def _styled(self, text: str, style: str) -> str:
        return f"{style}{text}{_PLAIN}" if self._has_colours and style else text

    def _line(self, text: str) -> None:
        self._out.write(f"{text}\n")


def _percentage(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 100:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to 100")
    return value


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 64:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 to 64")
    return int(text)
