"""The virtual environment of the digits servers: in the cache, separate from the engine's."""

from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

from engine.script.environment import cache_folder

REQUIREMENTS = Path(__file__).with_name("rivals") / "requirements.txt"


def rivals_python() -> Path:
    """Its interpreter; created if missing or if the requirements have changed (takes minutes)."""
    folder = cache_folder() / "benchmarks" / "rivals"
    python, marker = folder / "bin" / "python", folder / ".requirements"
    wanted = REQUIREMENTS.read_text()
    if marker.exists() and marker.read_text() == wanted:
        return python
    print(f"installing the other servers into {folder}", file=sys.stderr)
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
    """Install what is available; a server without its library is reported as not measured."""
    for line in wanted.splitlines():
        if not line.startswith("#") and not _install(python, line):
            print(f"  {line} could not be installed")
