"""`engine import`: turn files exported from SnapLogic into a project."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec

from engine.errors import ConfigurationError, Problem
from engine.pipeline import parse
from engine.plan import check_spec
from engine.registry import Registry, discover
from engine.slp.coverage import lacks_of
from engine.slp.project_import import FileReport, files_in, import_files
from engine.slp.writing import write_files

_REPORTED = (
    "unsupported-snap",
    "unsupported-setting",
    "missing-file",
    "unlinked-snap",
    "unset-variable",
)
"""Codes of what the report says itself, and of what is no fault of the import."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        metavar="FILE",
        help="pipelines (.slp), tasks (.slt), accounts (.sla) and expression libraries (.expr), or "
        "folders with such files",
    )
    parser.add_argument(
        "-o", "--output", required=True, metavar="FOLDER", help="the folder of the project"
    )
    parser.add_argument("--force", action="store_true", help="overwrite existing files")
    parser.add_argument("--json", action="store_true", help="report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """0 if every file was imported, 1 if one could not be, 2 if nothing was written."""
    paths = list(files_in(map(Path, arguments.files)))
    if not paths:
        raise ConfigurationError("there are no .slp, .slt, .sla or .expr files in these folders")
    registry = discover()
    reports = import_files(paths, registry)
    folder = Path(arguments.output)
    files = [file for report in reports for file in report.files]
    write_files(files, folder, force=arguments.force)
    found = {
        report.source: _problems(report, folder, registry) for report in reports if report.pipeline
    }
    if arguments.json:
        encoded = msgspec.json.encode([_as_dict(report, folder, found) for report in reports])
        print(msgspec.json.format(encoded, indent=2).decode())
    else:
        for report in reports:
            print("\n".join(_lines(report, folder, found.get(report.source, ()))))
        print(_summary(reports), file=sys.stderr)
    return 1 if any(report.error for report in reports) else 0


def _problems(report: FileReport, folder: Path, registry: Registry) -> list[Problem]:
    """What the check finds in the imported pipeline, beside what the import reports itself."""
    file = report.files[0]
    spec = parse(file.content, str(folder / file.name))
    return [each for each in check_spec(spec, registry) if each.code not in _REPORTED]


def _lines(report: FileReport, folder: Path, problems: Iterable[Problem]) -> Iterator[str]:
    if report.error:
        yield f"{report.source}\n  error: {report.error}"
        return
    if report.same_as:
        yield f"{report.source}\n  the same as {report.same_as}"
        return
    yield f"{report.source} -> {folder / report.files[0].name}"
    for file in report.files[1:]:
        yield f"  with {folder / file.name}"
    for snap in report.pipeline.lacking if report.pipeline else ():
        for lack in lacks_of(snap):
            yield f"  not supported: {lack}"
    for warning in report.warnings:
        yield f"  warning: {warning}"
    own = str(folder / report.files[0].name)
    for problem in problems:
        place = f"{problem.where.line}:{problem.where.column}"
        where = f"line {place}" if problem.where.path == own else f"{problem.where.path}:{place}"
        yield f"  {problem.severity}: {where}: {problem.message}"


def _as_dict(
    report: FileReport, folder: Path, problems: dict[str, list[Problem]]
) -> dict[str, Any]:
    snaps = report.pipeline.snaps if report.pipeline else ()
    return {
        "file": report.source,
        "error": report.error or None,
        "same_as": report.same_as or None,
        "written": [str(folder / file.name) for file in report.files],
        "kind": report.files[0].kind if report.files else None,
        "warnings": list(report.warnings),
        "snaps": [
            {
                "name": snap.name,
                "label": snap.label,
                "class_id": snap.class_id,
                "snap": snap.type if snap.status != "unknown" else None,
                "disabled": snap.is_disabled,
                "unsupported": snap.lacks,
                "unknown_keys": list(snap.unknown_keys),
            }
            for snap in snaps
        ],
        "problems": [
            {
                "file": problem.where.path,
                "line": problem.where.line,
                "column": problem.where.column,
                "code": problem.code,
                "severity": problem.severity,
                "message": problem.message,
                "hint": str(problem.hint),
            }
            for problem in problems.get(report.source, ())
        ],
    }


def _summary(reports: Sequence[FileReport]) -> str:
    counts = Counter(str(file.kind) for report in reports for file in report.files)
    parts = [
        f"{counts[kind]} {kind if counts[kind] == 1 else plural}"
        for kind, plural in _PLURALS.items()
        if counts[kind]
    ]
    text = f"imported: {', '.join(parts) or 'nothing'}"
    if lacking := sum(1 for report in reports if report.pipeline and report.pipeline.lacking):
        text += f"; {lacking} need{'s' if lacking == 1 else ''} something that is not supported"
    if failed := sum(1 for report in reports if report.error):
        text += f"; {failed} could not be imported"
    return text


_PLURALS = {
    "pipeline": "pipelines",
    "task": "tasks",
    "account": "accounts",
    "library": "libraries",
    "script": "scripts",
}
