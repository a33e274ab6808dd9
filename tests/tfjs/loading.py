"""Has TensorFlow.js itself answer from an exported model: the package that the web page bundles."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "web"


def answers(folder: Path, *inputs: Any) -> dict[str, Any]:
    """`outputs`, a nested list for each output of the model, and its `metadata`.

    Each of `inputs` is the nested list for an input of the model.
    """
    if not (WEB / "node_modules/@tensorflow/tfjs-layers").is_dir():
        subprocess.run(["npm", "ci", "--silent"], cwd=WEB, check=True, timeout=300)
    done = subprocess.run(
        ["node", str(ROOT / "tests/tfjs/predict.mjs"), str(folder)],
        input=json.dumps(inputs),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answered: dict[str, Any] = json.loads(done.stdout)
    return answered
