"""Pipelines that commands get by name: a file, or standard input (`-`)."""

from __future__ import annotations

import sys

from engine.api.checking import spec_of
from engine.errors import ConfigurationError
from engine.pipeline import PipelineSpec, parse
from engine.pipeline.load import MAX_BYTES
from engine.registry import Registry

STDIN = "-"
SHOWN_STDIN = "<stdin>"
"""What places in a pipeline from standard input are called. Its folder is the current one."""


def given_pipeline(name: str, registry: Registry) -> PipelineSpec:
    """Raises ConfigurationError if it cannot be read."""
    if name != STDIN:
        return spec_of(name, registry)
    if sys.stdin is None or sys.stdin.closed:
        raise ConfigurationError("standard input is closed, so no pipeline can be read from it")
    if sys.stdin.isatty():
        print("reading a pipeline from the terminal; end it with Ctrl-D", file=sys.stderr)
    return parse(sys.stdin.buffer.read(MAX_BYTES + 1), SHOWN_STDIN)


def refuse_watching_stdin(name: str) -> None:
    """Raises ConfigurationError if a pipeline that is to be read again is standard input."""
    if name == STDIN:
        raise ConfigurationError("--watch reads the pipeline again and again; give a file, not -")
