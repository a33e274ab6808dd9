"""`engine schema`: print the JSON Schema of a kind of file, for editors."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.registry import discover
from engine.run.files.complete import write_complete
from engine.schema import KINDS, schema_file, schema_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "kind",
        nargs="?",
        choices=tuple(KINDS),
        default="pipeline",
        metavar="KIND",
        help=f"{', '.join(KINDS)} (default: pipeline)",
    )
    output = parser.add_mutually_exclusive_group()
    output.add_argument("-o", "--output", metavar="FILE", help="write it to this file")
    output.add_argument(
        "--all", metavar="FOLDER", help="write the schemas of all kinds into this folder"
    )


def run(arguments: argparse.Namespace) -> int:
    """0; ConfigurationError if a file cannot be written."""
    registry = discover()
    if arguments.all is not None:
        folder = Path(arguments.all)
        for kind in KINDS:
            _write(folder / schema_file(kind), schema_text(kind, registry))
    elif arguments.output is not None:
        _write(Path(arguments.output), schema_text(arguments.kind, registry))
    else:
        sys.stdout.write(schema_text(arguments.kind, registry))
    return 0


def _write(path: Path, text: str) -> None:
    write_complete(path, text.encode())
    print(f"wrote {path}")
