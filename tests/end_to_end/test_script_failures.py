"""However a script ends, the run ends with a clear error, exit code 1 and nothing left behind."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import pytest

HEAD = "import os, signal, time\nprint('group', os.getpgid(0), flush=True)\n"

PIPELINE = """
snaps:
  make: {snap: JSONGenerator, documents: [{n: 1}, {n: 2}]}
  script: {snap: RemotePythonScript, script: script.py, timeout: 2}
  format: {snap: JSONFormatter}
  write: {snap: FileWriter, file: out.json}
links: [make -> script -> format -> write]
"""

FAILURES = {
    "is killed": (
        "def snaplogic_process(row):\n    os.kill(os.getpid(), signal.SIGKILL)\n",
        ["SIGKILL"],
    ),
    "raises": (
        "def snaplogic_process(row):\n    return 1 / (row['n'] - 1)\n",
        ["ZeroDivisionError: ", 'script.py", line 4', "return 1 / (row['n'] - 1)"],
    ),
    "raises while it is loaded": ("import no_such_module\n", ["No module named", "line 3"]),
    "raises in init": ("def snaplogic_init():\n    raise ValueError('no init')\n", ["no init"]),
    "raises in final": ("def snaplogic_final():\n    raise ValueError('the end')\n", ["the end"]),
    "returns a wrong type": (
        "def snaplogic_process(row):\n    return 7\n",
        ["must return a dict, a list of dicts or None, not int", "line 3"],
    ),
    "sleeps past its timeout": (
        "def snaplogic_process(row):\n    time.sleep(60)\n",
        ["2 s", "line 4"],
    ),
    "leaves by os._exit": ("def snaplogic_process(row):\n    os._exit(3)\n", ["3"]),
    "leaves by sys.exit": ("def snaplogic_final():\n    raise SystemExit(4)\n", ["SystemExit"]),
}


@pytest.mark.parametrize("what", FAILURES)
def test_a_script_that(what: str, engine: Any, tmp_path: Path) -> None:
    source, says = FAILURES[what]
    if "snaplogic_process" not in source:
        source += "def snaplogic_process(row):\n    return row\n"
    (tmp_path / "script.py").write_text(HEAD + source)
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    (tmp_path / "out.json").write_text("old")
    done = engine("run", "pipeline.yaml")
    assert done.returncode == 1
    for words in says:
        assert words in done.stderr
    assert "engine/" not in done.stderr  # no frame of the engine for a mistake of the user
    assert (tmp_path / "out.json").read_text() == "old"
    if group := re.search(r"group (\d+)", done.stderr):
        with pytest.raises(ProcessLookupError):
            os.killpg(int(group[1]), 0)


def test_a_script_that_prints_a_megabyte(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(
        "def snaplogic_process(row):\n"
        "    for _ in range(1000):\n        print('x' * 999)\n    return row\n"
    )
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    done = engine("run", "pipeline.yaml")
    assert done.returncode == 0
    assert done.stderr.count("x" * 999) == 2000


def test_a_script_that_is_not_valid_python_starts_nothing(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "script.py").write_text(HEAD + "def (:\n")
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    done = engine("run", "pipeline.yaml")
    assert done.returncode == 2
    assert "script.py:3:5  python-syntax" in done.stderr
    assert "group" not in done.stderr


def test_a_script_that_prints_without_end_does_not_fill_the_log(
    engine: Any, tmp_path: Path
) -> None:
    (tmp_path / "script.py").write_text(
        "def snaplogic_process(row):\n"
        "    for _ in range(10_000):\n        print('x' * 999)\n    return row\n"
    )
    (tmp_path / "pipeline.yaml").write_text(PIPELINE)
    done = engine("run", "pipeline.yaml")
    assert done.returncode == 0
    assert 4_000 < done.stderr.count("x" * 999) < 19_000
    assert "lines omitted" in done.stderr
