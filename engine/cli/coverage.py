"""`engine coverage`: how much of a folder of exports would run here."""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec

from engine.cli.columns import columns
from engine.errors import ConfigurationError
from engine.registry import discover
from engine.slp.coverage import ClassCoverage, Coverage, measure, shown_id
from engine.slp.project_import import files_in

_MAX_LISTED = 20


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "folders", nargs="+", metavar="FOLDER", help="folders with exported pipelines (.slp)"
    )
    parser.add_argument("--json", action="store_true", help="report as JSON")


def run(arguments: argparse.Namespace) -> int:
    """0, however much is supported."""
    found = files_in(map(Path, arguments.folders))
    paths = [path for path in found if path.suffix.lower() == ".slp"]
    if not paths:
        raise ConfigurationError("there are no .slp files in these folders")
    coverage = measure(paths, discover())
    if arguments.json:
        encoded = msgspec.json.encode(_as_dict(coverage))
        print(msgspec.json.format(encoded, indent=2).decode())
    else:
        _print(coverage)
    return 0


def _print(coverage: Coverage) -> None:
    total = len(coverage.pipelines)
    faulty = coverage.faulty_expressions.total()
    print(
        columns(
            [
                ("", "number", "supported", ""),
                _row("pipelines", coverage.supported, total),
                _row("snaps", *_snaps(coverage)),
                _row("expressions", coverage.expressions - faulty, coverage.expressions),
            ],
            right=(1, 2, 3),
        )
    )
    rest = {
        "incomplete pipelines": sum(1 for each in coverage.pipelines if each.faults),
        "pipelines without snaps": coverage.empty,
        "repeated files": coverage.repeated,
        "unreadable files": len(coverage.unreadable),
    }
    print("\n" + ", ".join(f"{what}: {count}" for what, count in rest.items()) + "\n")
    for path, reason in coverage.unreadable.items():
        print(reason if path in reason else f"{path}: {reason}")
    print(_class_table(coverage))
    lacking = [each for each in coverage.pipelines if each.lacks]
    if lacking:
        print("\nPipelines that lack something:")
    for pipeline in lacking:
        print(f"{pipeline.file}")
        for lack, count in Counter(pipeline.lacks).items():
            print(f"  {lack}{f' ({count} times)' if count > 1 else ''}")


def _snaps(coverage: Coverage) -> tuple[int, int]:
    """How many have a counterpart here, and how many there are."""
    classes = coverage.classes.values()
    return sum(e.snaps for e in classes if e.status != "unknown"), sum(e.snaps for e in classes)


def _row(title: str, part: int, whole: int) -> tuple[str, str, str, str]:
    return title, str(whole), str(part), f"{100 * part / whole:.1f} %" if whole else ""


def _class_table(coverage: Coverage) -> str:
    rows = [("class", "snaps", "pipelines", "status")]
    rows += [
        (shown_id(each.class_id), str(each.snaps), str(each.pipelines), _status(each))
        for each in _by_use(coverage)
    ]
    return columns(rows, right=(1, 2))


def _by_use(coverage: Coverage) -> list[ClassCoverage]:
    order = {"unknown": 0, "partly": 1, "supported": 2}
    return sorted(
        coverage.classes.values(), key=lambda c: (order[c.status], -c.pipelines, c.class_id)
    )


def _status(each: ClassCoverage) -> str:
    if each.status == "unknown":
        return "not supported"
    parts = [each.snap]
    if each.lacks:
        lacks = [f"{text} ({count})" for text, count in each.lacks.most_common(_MAX_LISTED)]
        parts.append(f"without {', '.join(lacks)}")
    if each.unknown_keys:
        keys = ", ".join(key for key, _ in each.unknown_keys.most_common(_MAX_LISTED))
        parts.append(f"unknown keys: {keys}")
    return "; ".join(parts)


def _as_dict(coverage: Coverage) -> dict[str, Any]:
    faulty = coverage.faulty_expressions
    return {
        "pipelines": {
            "distinct": len(coverage.pipelines),
            "supported": coverage.supported,
            "repeated": coverage.repeated,
            "empty": coverage.empty,
        },
        "unreadable": [
            {"file": path, "reason": reason} for path, reason in coverage.unreadable.items()
        ],
        "expressions": {
            "number": coverage.expressions,
            "valid": coverage.expressions - faulty.total(),
            "invalid": [{"text": text, "number": n} for text, n in faulty.most_common()],
        },
        "snaps": [
            {
                "class_id": each.class_id,
                "snap": each.snap if each.status != "unknown" else None,
                "status": each.status,
                "snaps": each.snaps,
                "pipelines": each.pipelines,
                "unsupported": dict(each.lacks),
                "unknown_keys": dict(each.unknown_keys),
            }
            for each in _by_use(coverage)
        ],
        "files": [
            {
                "file": each.file,
                "pipeline": each.name,
                "snaps": each.snaps,
                "supported": each.is_supported,
                "lacks": list(each.lacks),
                "faults": list(each.faults),
            }
            for each in coverage.pipelines
        ],
    }
