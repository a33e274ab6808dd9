"""Has TensorFlow.js itself answer from an exported model: the package that the web page bundles."""

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"


def answers(folder: Path, *inputs: Any) -> dict[str, Any]:
    """`outputs`, a nested list for each output of the model, and its `metadata`.

    Each of `inputs` is the nested list for an input of the model.
    """
    [answered] = all_answers([(folder, inputs)])
    assert "error" not in answered, answered["error"]
    return answered


def all_answers(models: Sequence[tuple[Path, Sequence[Any]]]) -> list[dict[str, Any]]:
    """The answers of many models to their inputs: as `answers`, or an `error`."""
    if not (WEB / "node_modules/@tensorflow/tfjs-layers").is_dir():
        subprocess.run(["npm", "ci", "--silent"], cwd=WEB, check=True, timeout=300)
    asked = [{"folder": str(folder), "given": list(inputs)} for folder, inputs in models]
    done = subprocess.run(
        ["node", str(ROOT / "tests/tfjs/predict.mjs")],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answered: list[dict[str, Any]] = json.loads(done.stdout)
    return answered
