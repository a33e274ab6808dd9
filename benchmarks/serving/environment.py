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
    pip = [str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "--requirement", str(REQUIREMENTS)], check=True)
    marker.write_text(wanted)
    return python
