"""`engine format`: indent and space pipeline, task, test and account files."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine.cli.validate import files_in
from engine.errors import ConfigurationError
from engine.language.format import FormatRefusedError, formatted
from engine.pipeline.load import read


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        metavar="PATH",
        help="a pipeline, task, test or account file, or a folder to search for them at any depth",
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing, and exit with 1 if a file would change"
    )


def run(arguments: argparse.Namespace) -> int:
    """0 if all files are formatted now; 1 if `--check` finds one that is not; 2 if one cannot be
    read."""
    changed, refused = 0, False
    for path in files_in(arguments.files):
        if path.lower().endswith(".slp"):
            continue
        try:
            changed += _format(path, is_check=arguments.check)
        except FormatRefusedError as refusal:
            print(f"{path}: not formatted: {refusal}", file=sys.stderr)
            refused = True
    if refused:
        return 2
    return 1 if arguments.check and changed else 0


def _format(path: str, *, is_check: bool) -> bool:
    """Whether the file changes."""
    try:
        text = read(path, "file").decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatRefusedError(f"it is not UTF-8 text: {error.reason}") from None
    result = formatted(text, path)
    if result == text:
        return False
    if not is_check:
        try:
            Path(path).write_bytes(result.encode())
        except OSError as error:
            raise ConfigurationError(f"cannot write {path!r}: {error.strerror}") from error
    print(f"{path}: {'would be formatted' if is_check else 'formatted'}")
    return True
