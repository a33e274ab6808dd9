"""`engine validate`: check pipeline, task, test, account and pin files and report every problem."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine import api
from engine.cli.pipelines import SHOWN_STDIN, STDIN, given_pipeline
from engine.cli.problems import as_annotation, as_json, print_problems
from engine.errors import ConfigurationError, InvalidPipelineError, Problem, UnusableSnapError
from engine.locations import Location
from engine.pipeline.account_file import is_account_file
from engine.pipeline.case_files import is_test_file
from engine.pipeline.pin_files import is_pin_file
from engine.registry import discover
from engine.sdk.settings import nearest_hint

_IS_OURS = re.compile(rb"^(?:snaps[ \t]*:|(?=type[ \t]*:)(?s:.*)^pipeline[ \t]*:)", re.MULTILINE)
_IS_OURS_BY_NAME = re.compile(r"(?:^|[._-])task\.ya?ml$", re.IGNORECASE)
_EXTENSIONS = (".yaml", ".yml")
_EXPORT = ".slp"
_NAMED = 3
"""How many skipped YAML files of other programs are named."""
_FOREIGN_FOLDERS = ("node_modules", "__pycache__")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        metavar="PATH",
        help="a pipeline, task, test, account or pin file, a pipeline exported from SnapLogic "
        "(.slp), or a folder to search for them at any depth; - for a pipeline on "
        "standard input",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        default="text",
        help="text for people (default), a JSON array, or annotations for GitHub Actions",
    )


def run(arguments: argparse.Namespace) -> int:
    """0 if no file has an error (warnings are fine), else 2."""
    found: list[Problem] = []
    registry = discover()
    for path in files_in(arguments.files):
        try:
            problems = api.check(
                given_pipeline(path, registry) if path == STDIN else path, registry
            )
        except UnusableSnapError:
            raise  # it concerns all files
        except ConfigurationError as error:
            problems = _problems_of(error, path)
        fresh = [problem for problem in problems if problem not in found]  # accounts are shared
        found += fresh
        if arguments.format == "text":
            print_problems(fresh, sys.stderr)
            shown = SHOWN_STDIN if path == STDIN else path
            print(f"{shown}: {_verdict(problems)}", flush=True)
        elif arguments.format == "github":
            for problem in fresh:
                print(as_annotation(problem))
    if arguments.format == "json":
        print(as_json(found))
    return 2 if _errors(found) else 0


def files_in(given: Sequence[str]) -> Iterator[str]:
    """The given files, and those of ours in the given folders. Raises ConfigurationError for a
    folder without any."""
    for name in given:
        path = Path(name)
        if not path.is_dir():
            yield name
            continue
        files, notes = _search(path)
        for note in notes:
            print(note, file=sys.stderr)
        if not files:
            raise ConfigurationError(
                f"the folder {name!r} contains no pipeline, task or account files"
            )
        yield from files


def _search(folder: Path) -> tuple[list[str], list[str]]:
    """The files to check in a folder, and notes on those that are skipped."""
    files, notes, others = [], [], []
    for file in _walk(folder):
        if reason := _skipped(file):
            notes.append(f"{file}: skipped, {reason}")
        elif file.suffix.lower() == _EXPORT:
            files.append(str(file))
        elif file.suffix.lower() not in _EXTENSIONS:
            continue
        elif _is_ours(file):
            files.append(str(file))
        else:
            others.append(str(file))
    if others:
        count = "one YAML file" if len(others) == 1 else f"{len(others)} YAML files"
        more = f" and {len(others) - _NAMED} more" if len(others) > _NAMED else ""
        names = ", ".join(others[:_NAMED])
        notes.append(f"{folder}: skipped {count} without a 'snaps:' line: {names}{more}")
    return files, notes


def _walk(folder: Path) -> Iterator[Path]:
    """Files at any depth, in order, without hidden folders and those of other tools."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in _FOREIGN_FOLDERS:
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)
        else:
            yield entry


def _skipped(file: Path) -> str:
    """Why a file that was probably meant as a pipeline is skipped; else empty."""
    extension = file.suffix.lower()
    if extension in _EXTENSIONS:
        return "the file is empty" if _is_empty(file) else ""
    if extension and nearest_hint(extension, _EXTENSIONS) and _mentions_snaps(file):
        return f"because of its extension {file.suffix!r}; rename it to {file.stem}.yaml"
    return ""


def _is_empty(file: Path) -> bool:
    try:
        return not file.stat().st_size
    except OSError:
        return False  # the check reports why it cannot be read


def _is_ours(file: Path) -> bool:
    """Whether a YAML file is for the engine: folders also contain those of other programs."""
    is_named_so = _IS_OURS_BY_NAME.search(file.name) or file.parent.name == "tasks"
    is_named_so = is_named_so or is_test_file(file) or is_pin_file(file)
    return bool(is_named_so) or is_account_file(file) or _mentions_snaps(file)


def _mentions_snaps(file: Path) -> bool:
    try:
        return _IS_OURS.search(file.read_bytes()) is not None
    except OSError:
        return True  # it may be ours; the check reports why it cannot be read


def _problems_of(error: ConfigurationError, path: str) -> list[Problem]:
    if isinstance(error, InvalidPipelineError):
        return list(error.problems)
    return [Problem("missing-file", Location(path), str(error))]


def _errors(problems: Sequence[Problem]) -> int:
    return sum(problem.severity == "error" for problem in problems)


def _verdict(problems: Sequence[Problem]) -> str:
    errors = _errors(problems)
    counts = [(errors, "error"), (len(problems) - errors, "warning")]
    words = [f"{count} {word}{'s' if count > 1 else ''}" for count, word in counts if count]
    return ", ".join(words) or "ok"
