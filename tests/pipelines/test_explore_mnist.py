"""explore_mnist.yaml: counts, shapes and the picture."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def explore(*parameters: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", "run", "pipelines/explore_mnist.yaml"]
    for parameter in parameters:
        command += ["--param", parameter]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_the_pipeline_counts_and_draws_the_data_set(tmp_path: Path) -> None:
    picture = tmp_path / "new" / "mnist.png"
    finished = explore(f"picture={picture}", "rows=2", "seed=7")
    assert finished.returncode == 0, finished.stdout + finished.stderr
    lines = [json.loads(line) for line in finished.stdout.splitlines()]
    [figures] = [line for line in lines if "train" in line]
    assert figures["train"]["images"] == {"shape": [60_000, 28, 28], "dtype": "uint8"}
    assert figures["test"]["labels"] == {"shape": [10_000], "dtype": "uint8"}
    assert sum(figures["train"]["classes"].values()) == 60_000
    assert figures["test"]["classes"]["5"] == 892
    assert figures["train"]["pixels"]["most"] == 255
    assert figures["seed"] == 7
    assert "content" not in figures
    assert picture.read_bytes().startswith(b"\x89PNG")


@pytest.mark.slow
@pytest.mark.parametrize("rows", ["0", "21", "six"])
def test_a_wrong_number_of_samples_is_named_with_what_is_allowed(tmp_path: Path, rows: str) -> None:
    finished = explore(f"rows={rows}", f"picture={tmp_path / 'mnist.png'}")
    assert finished.returncode == 1
    reason = f"The parameter rows is '{rows}', but must be a whole number from 1 to 20"
    assert reason in " ".join(finished.stderr.split())
    assert not (tmp_path / "mnist.png").exists()
