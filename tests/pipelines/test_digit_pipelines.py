"""The digit pipelines from the command line: one builds a small network, which recognises a 1."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.pipeline import load
from engine.testing import run_snap

ROOT = Path(__file__).resolve().parents[2]


def engine_run(pipeline: str, *parameters: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", "run", f"pipelines/{pipeline}"]
    for parameter in parameters:
        command += ["--param", parameter]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_a_network_that_one_pipeline_builds_recognises_a_digit_in_the_others(
    tmp_path: Path,
) -> None:
    model = tmp_path / "digits.json"
    built = engine_run(
        "model_building.yaml",
        *("architecture=fast", "epochs=1", "images=6000", "batch_size=32", f"model={model}"),
    )
    assert built.returncode == 0, built.stdout + built.stderr
    document = json.loads(model.read_text())
    assert document["accuracy"] > 0.9
    assert document["history"][0]["epoch"] == 1
    assert 0 < document["sure_above"] < 1

    tested = engine_run("model_testing.yaml", f"model={model}")
    assert tested.returncode == 0, tested.stdout + tested.stderr
    [answer] = [json.loads(line) for line in tested.stdout.splitlines()]
    assert (answer["pred"], answer["label"]) == (1, 1)
    assert 0.5 < answer["conf"] <= 1

    hosted = answered_by_hosting(document)
    assert hosted["pred"] == 1
    assert hosted["conf"] == pytest.approx(answer["conf"], abs=1e-4)
    assert hosted["sure"] == (hosted["conf"] >= document["sure_above"])


def answered_by_hosting(model: dict[str, Any]) -> dict[str, Any]:
    """The answer of model_hosting.yaml's script, which uses another library, to the sample."""
    settings = dict(load(ROOT / "pipelines/model_hosting.yaml").snaps["predict"].settings)
    sample = json.loads((ROOT / "pipelines/samples/one.json").read_text())
    given = [model, sample]
    [answer] = run_snap("RemotePythonScript", settings, given, project=ROOT / "pipelines").output
    return dict(answer)


@pytest.mark.slow
def test_testing_a_file_without_a_valid_model_fails_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "broken.json").write_text('{"model": "bm8gbW9kZWw="}')
    tested = engine_run("model_testing.yaml", f"model={tmp_path / 'broken.json'}")
    assert tested.returncode == 1
    assert "The model is not a complete .keras file" in tested.stderr
    assert tested.stdout == ""
