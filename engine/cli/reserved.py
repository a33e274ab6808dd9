"""Keeps standard output for documents."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout, suppress
from typing import TextIO


@contextmanager
def reserve_stdout() -> Iterator[TextIO]:
    """Reserve standard output for documents.

    Output of a snap, or of a program that it calls, goes to standard error, so that it cannot end
    up between two documents.
    """
    documents = sys.stdout
    documents.flush()
    try:
        descriptor, elsewhere = documents.fileno(), sys.stderr.fileno()
    except io.UnsupportedOperation:  # the streams were replaced by something in memory
        with redirect_stdout(sys.stderr):
            yield documents
        return
    kept = os.dup(descriptor)
    out = os.fdopen(os.dup(descriptor), "w", encoding=documents.encoding, errors=documents.errors)
    os.dup2(elsewhere, descriptor)
    try:
        with redirect_stdout(sys.stderr):
            yield out
    finally:
        with suppress(OSError):  # what could not be written has been reported by the display
            out.close()
        os.dup2(kept, descriptor)
        os.close(kept)
