"""Virtual environments of rivals: in the cache, and separate from that of the engine."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from engine.script.environment import cache_folder


def rivals_python(name: str, requirements: Path) -> Path:
    """The interpreter of an environment; created if missing or if the requirements have changed."""
    folder = cache_folder() / "benchmarks" / name
    python, marker = folder / "bin" / "python", folder / ".requirements"
    wanted = requirements.read_text()
    if marker.exists() and marker.read_text() == wanted:
        return python
    print(f"installing the rivals into {folder}", file=sys.stderr)
    if not python.exists():
        venv.create(folder, with_pip=True)
    if _install(python, "--requirement", str(requirements)):
        marker.write_text(wanted)
    else:
        _install_one_by_one(python, wanted)
    return python


def _install(python: Path, *what: str) -> bool:
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return subprocess.run([*pip, *what]).returncode == 0


def _install_one_by_one(python: Path, wanted: str) -> None:
    """Install what is available; a rival that is missing is reported as not measured."""
    for line in wanted.splitlines():
        if not line.startswith("#") and not _install(python, line):
            print(f"  {line} could not be installed")
