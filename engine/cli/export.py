"""`engine export`: write a pipeline as a file that SnapLogic can import."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from engine import api
from engine.errors import ConfigurationError
from engine.registry import discover
from engine.slp.imported import ImportedFile
from engine.slp.pipeline_export import export_pipeline
from engine.slp.writing import write_files


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("pipeline", metavar="PIPELINE", help="a pipeline file")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help="the file to write")
    parser.add_argument("--force", action="store_true", help="overwrite an existing file")


def run(arguments: argparse.Namespace) -> int:
    """0 if the file was written; what SnapLogic has no place for is a warning."""
    target = Path(arguments.output)
    if target.suffix.lower() != ".slp":
        raise ConfigurationError(f"the name of an export ends in .slp, not '{target.name}'")
    exported = export_pipeline(api.load(arguments.pipeline), discover())
    file = ImportedFile(target.name, "pipeline", exported.content)
    write_files([file], target.parent, force=arguments.force)
    for warning in exported.warnings:
        print(f"warning: {warning}", file=sys.stderr)
    print(f"{arguments.pipeline} -> {target}")
    return 0
