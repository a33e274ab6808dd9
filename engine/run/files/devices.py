"""Names of devices and open files, such as `/dev/stdout`."""

from __future__ import annotations

import os
from pathlib import Path

from engine.late_regex import late_regex
from engine.run.files.failures import LOCAL_ERRORS

_DEVICE = late_regex(r"/dev/(?!shm$)[^/]+|/dev/fd/\d+|/proc/[^/]+/fd/\d+")


def device_of(located: str) -> str:
    """The device or open file that a path names, possibly through links; empty for others.

    The path is not resolved further: `/dev/stdout` leads to a file that must not be replaced, or
    to a pipe without a name.
    """
    for _ in range(40):  # more links than that form a circle
        if _DEVICE.fullmatch(located):
            return located
        try:
            target = Path(located).readlink()
        except LOCAL_ERRORS:
            return ""
        located = os.path.normpath(Path(located).parent / target)
    return ""
