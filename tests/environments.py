"""The environment of the digit pipelines, for tests that run scripts of their own in it."""

from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]

_IS_LINUX_PC = platform.system() == "Linux" and platform.machine() == "x86_64"

DIGITS: dict[str, Any] = {
    "environment": "digits",
    "requirements": ["tensorflow-cpu" if _IS_LINUX_PC else "tensorflow"],
    "constraints": "pipelines/constraints.txt",
}
"""Settings of a RemotePythonScript whose project is ROOT; a test alone installs what it needs."""
