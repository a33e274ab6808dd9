"""`engine validate`: check pipeline and task files and report every problem."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from engine import api
from engine.cli.problems import as_annotation, as_json, print_problems
from engine.errors import ConfigurationError, InvalidPipelineError, Problem
from engine.locations import Location
from engine.registry import discover

_IS_OURS = re.compile(rb"^(?:snaps[ \t]*:|(?=type[ \t]*:)(?s:.*)^pipeline[ \t]*:)", re.MULTILINE)
_IS_OURS_BY_NAME = re.compile(r"(?:^|[._-])task\.ya?ml$", re.IGNORECASE)
_FOREIGN_FOLDERS = ("node_modules", "__pycache__")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "validate", help="check pipeline and task files without running them"
    )
    parser.add_argument(
        "files",
        nargs="+",
        metavar="PATH",
        help="a pipeline or task file, or a folder to search for them at any depth",
    )
    parser.add_argument(
        "--format",
        choices=("text", "json", "github"),
        default="text",
        help="text for people (default), a JSON array, or annotations for GitHub Actions",
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """0 if no file has an error (warnings are fine), else 2."""
    found: list[Problem] = []
    registry = discover()
    for path in _files(arguments.files):
        try:
            problems = api.check(path, registry)
        except ConfigurationError as error:
            problems = _problems_of(error, path)
        found += problems
        if arguments.format == "text":
            print_problems(problems, sys.stderr)
            print(f"{path}: {_verdict(problems)}", flush=True)
        elif arguments.format == "github":
            for problem in problems:
                print(as_annotation(problem))
    if arguments.format == "json":
        print(as_json(found))
    return 2 if _errors(found) else 0


def _files(given: Sequence[str]) -> Iterator[str]:
    for name in given:
        path = Path(name)
        if not path.is_dir():
            yield name
            continue
        inside = [str(file) for file in _walk(path) if _is_ours(file)]
        if not inside:
            raise ConfigurationError(f"the folder {name!r} contains no pipeline or task files")
        yield from inside


def _walk(folder: Path) -> Iterator[Path]:
    """YAML files at any depth, in order, without hidden folders and those of other tools."""
    for entry in sorted(folder.iterdir()):
        if entry.name.startswith(".") or entry.name in _FOREIGN_FOLDERS:
            continue
        if entry.is_dir() and not entry.is_symlink():
            yield from _walk(entry)
        elif entry.suffix.lower() in (".yaml", ".yml"):
            yield entry


def _is_ours(file: Path) -> bool:
    """Whether a YAML file is for the engine: folders also contain those of other programs."""
    if _IS_OURS_BY_NAME.search(file.name) or file.parent.name == "tasks":
        return True
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
