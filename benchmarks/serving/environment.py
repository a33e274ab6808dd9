"""The virtual environment of the servers for digits: in the cache, apart from the engine's."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from engine.script.environment import cache_folder

REQUIREMENTS = Path(__file__).with_name("rivals") / "requirements.txt"


def rivals_python() -> Path:
    """Its interpreter. It is made when it is missing or the requirements have changed (minutes)."""
    folder = cache_folder() / "benchmarks" / "rivals"
    python, marker = folder / "bin" / "python", folder / ".requirements"
    wanted = REQUIREMENTS.read_text()
    if marker.exists() and marker.read_text() == wanted:
        return python
    print(f"installing the servers compared into {folder}", file=sys.stderr)
    if not python.exists():
        venv.create(folder, with_pip=True)
    if _install(python, "--requirement", str(REQUIREMENTS)):
        marker.write_text(wanted)
    else:
        _install_one_by_one(python, wanted)
    return python


def _install(python: Path, *what: str) -> bool:
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    return subprocess.run([*pip, *what]).returncode == 0


def _install_one_by_one(python: Path, wanted: str) -> None:
    """What can be had; a server without its library is then named as not measured."""
    for line in wanted.splitlines():
        if not line.startswith("#") and not _install(python, line):
            print(f"  {line} cannot be installed here")
