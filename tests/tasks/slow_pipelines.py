"""Pipelines for tests of a server's life: a script that waits, and one that holds its rows."""

from __future__ import annotations

from pathlib import Path

SLOW = """\
import os, time
def snaplogic_init(): return None
def snaplogic_process(row):
    while row["content"].get("waits") and not os.path.exists("go"): time.sleep(0.01)
    return {"content": {"id": row["content"]["id"]}}
def snaplogic_final(): return None
"""
"""A row that `waits` takes until the file `go` exists."""

HOLDS = """\
kept = []
def snaplogic_init(): return None
def snaplogic_process(row):
    kept.append(row)
def snaplogic_final():
    answers = [slt.answer(row, {"content": {"id": row["content"]["id"]}}) for row in kept]
    return answers
from snaplogic.tool import SLTool as slt
"""


def pipeline(folder: Path, script: str = SLOW, name: str = "slow") -> Path:
    (folder / f"{name}.py").write_text(script)
    file = folder / f"{name}.yaml"
    file.write_text(
        f"pipeline: {name}\nsnaps:\n  answer: {{snap: RemotePythonScript, script: {name}.py}}\n"
    )
    return file


def echo(folder: Path, word: str) -> Path:
    file = folder / "echo.yaml"
    file.write_text(f"""\
pipeline: Echo
snaps:
  answer:
    snap: Mapper
    mappings: {{$content.id: $content.id, $content.word: "'{word}'"}}
""")
    return file
