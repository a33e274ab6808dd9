"""compare_models.yaml and draw_comparison.yaml: parameters, documents, files and the report."""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.testing import run_snap
from tests.pipelines.conftest import load_script

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def compare(monkeypatch: pytest.MonkeyPatch) -> Any:
    return load_script("compare_models", monkeypatch)


def engine_run(pipeline: str, *parameters: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", "run", f"pipelines/{pipeline}"]
    for parameter in parameters:
        command += ["--param", parameter]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600)


# Parameters -----------------------------------------------------------------------------------


def test_empty_parameters_mean_all_networks_and_twenty_epochs(compare: Any) -> None:
    settings = compare.read_settings({"networks": "", "epochs": None})
    assert settings.networks == ("dense", "cnn", "deep_cnn", "fast")
    assert (settings.epochs, settings.seed, settings.images) == (20, 1, 60_000)


@pytest.mark.parametrize("text", ["deep_cnn, dense", "deep_cnn dense", "dense,deep_cnn,dense"])
def test_networks_are_trained_once_each_in_the_order_of_the_table(compare: Any, text: str) -> None:
    assert compare.read_settings({"networks": text}).networks == ("dense", "deep_cnn")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("networks", "dense, resnet", "names .* 'resnet'; choose among dense, cnn, deep_cnn, fast"),
        ("epochs", "0", "is '0', but must be a whole number from 1 to 1,000"),
        ("epochs", "many", "is 'many', but must be a whole number from 1 to 1,000"),
        ("images", "0", "is '0', but must be a whole number from 1 to 60,000"),
        ("images", "60001", "is '60001', but must be a whole number from 1 to 60,000"),
        ("seed", "-1", "is '-1', but must be a whole number from 0"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_allowed(
    compare: Any, name: str, text: str, message: str
) -> None:
    with pytest.raises(ValueError, match=f"The parameter {name} {message}"):
        compare.read_settings({name: text})


# Figures --------------------------------------------------------------------------------------

ANSWERS = np.array([[0.9, 0.1], [0.8, 0.2], [0.4, 0.6], [0.01, 0.99]]).repeat([1] * 4, axis=0)
ANSWERS = np.pad(ANSWERS, ((0, 0), (0, 8)))
LABELS = np.array([0, 1, 0, 0])
IMAGES = np.arange(4, dtype=np.uint8)[:, None, None].repeat(28, axis=1).repeat(28, axis=2)


def test_the_confusion_matrix_counts_answers_by_true_digit(compare: Any) -> None:
    counts = np.array(compare.confusion(ANSWERS, LABELS))
    assert counts.shape == (10, 10)
    assert counts[:2, :2].tolist() == [[1, 2], [1, 0]]
    assert counts.sum() == 4


def test_the_worst_mistake_has_the_largest_loss(compare: Any) -> None:
    mistakes = compare.worst_mistakes(ANSWERS, IMAGES, LABELS)
    assert [mistake["index"] for mistake in mistakes] == [3, 1, 2]
    assert (mistakes[0]["label"], mistakes[0]["predicted"]) == (0, 1)
    assert mistakes[0]["confidence"] == 0.99
    assert base64.b64decode(mistakes[0]["image"]) == bytes([3] * 784)


def test_an_epoch_is_recorded_with_means_over_the_validation_images(compare: Any) -> None:
    fitted = {"accuracy": [0.5], "loss": [1.25]}
    epoch = compare.epoch_record(fitted, 1.234, ANSWERS, LABELS)
    assert epoch["validation_accuracy"] == 0.25
    expected = -np.log([0.9, 0.2, 0.4, 0.01]).mean()
    assert epoch["validation_loss"] == pytest.approx(expected, abs=1e-6)
    assert (epoch["training_accuracy"], epoch["training_loss"]) == (0.5, 1.25)
    assert epoch["seconds"] == 1.23


def test_a_digit_with_probability_zero_has_a_finite_loss(compare: Any) -> None:
    assert np.isfinite(compare.losses(np.eye(10)[[0]], np.array([1]))).all()


def test_drawings_are_rows_to_keep_until_all_networks_are_trained(compare: Any) -> None:
    drawing = {"digit": 1, "strokes": [[[0, 0], [0, 9]]]}
    assert compare.snaplogic_process(drawing) is None
    assert compare.snaplogic_process({"train": {}, "test": {}}) is None
    assert (compare.drawings, len(compare.packs)) == ([drawing], 1)


def test_accuracy_on_drawings_is_the_share_that_is_right(
    compare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compare.strokes_accuracy(object()) is None
    shown = []

    def probabilities(model: object, images: Any) -> Any:
        shown.append(images)
        return np.eye(10)[[1] * len(images)]

    monkeypatch.setattr(compare, "probabilities", probabilities)
    for digit in (1, 1, 7):
        compare.snaplogic_process({"digit": digit, "strokes": [[[0, 0], [0, 9]]]})
    assert compare.strokes_accuracy(object()) == pytest.approx(2 / 3, abs=1e-6)
    assert shown[0].shape == (3, 28, 28, 1)


# Drawing --------------------------------------------------------------------------------------


def network(name: str, epochs: int = 2, mistakes: int = 3) -> dict[str, Any]:
    """A document as compare_models.py emits it, with a perfect training accuracy."""
    part = {"training_accuracy": 1.0, "training_loss": 0.0, "seconds": 1.5}
    history = [
        {**part, "validation_accuracy": 0.9 + epoch / 100, "validation_loss": 0.3}
        for epoch in range(epochs)
    ]
    image = base64.b64encode(bytes(784)).decode()
    confusion = np.diag([9900 - mistakes, *[0] * 8, 100])
    confusion[4, 9] = mistakes
    mistake = {"index": 1, "label": 4, "predicted": 9, "confidence": 0.9, "image": image}
    return {
        "name": name,
        "title": f"Net <{name}>",
        "layers": ["Flatten", "Dense 10 softmax"],
        "weights": 7850,
        "precision": "float32",
        "epochs": epochs,
        "batch_size": 128,
        "images": 1000,
        "validation_images": 10_000,
        "seed": 1,
        "seconds": 125.5,
        "training_accuracy": 1.0,
        "validation_accuracy": 0.91,
        "published_accuracy": 0.9798,
        "history": history,
        "confusion": confusion.tolist(),
        "mistakes": [mistake] * mistakes,
        "libraries": {"python": "3", "tensorflow": "2", "keras": "3", "numpy": "2"},
    }


def drawn(documents: list[dict[str, Any]]) -> dict[str, bytes]:
    settings = {
        "script": "scripts/draw_comparison.py",
        "environment": "plots",
        "requirements": ["matplotlib", "numpy"],
    }
    result = run_snap("RemotePythonScript", settings, documents, project=ROOT / "pipelines")
    return {file["name"]: base64.b64decode(file["content"]) for file in result.output}


@pytest.mark.slow
def test_two_networks_are_drawn_into_files_and_one_page() -> None:
    files = drawn([network("a"), network("b", mistakes=0)])
    pictures = ("confusion_a", "mistakes_a", "confusion_b", "mistakes_b")
    assert list(files) == [
        *(f"{name}.png" for name in ("accuracy", "loss", *pictures)),
        "report.html",
    ]
    report = files.pop("report.html").decode()
    assert all(content.startswith(b"\x89PNG") for content in files.values())
    assert "Net &lt;a&gt;" in report
    assert "<a>" not in report
    assert "2 min 05 s" in report
    assert "<td><strong>91.00 %</strong><td>–<td>97.98 %" in report
    assert "7,850 weights. 3 mistakes on 10,000 images after 2 epochs" in report
    assert len(re.findall(r'(?:src|srcset)="data:image/png;base64,', report)) == 12
    assert not re.search(r'(?:src|srcset|href)="(?!data:)|url\(|@import|<script', report)
    for name, content in files.items():
        assert base64.b64encode(content).decode() in report, name


@pytest.mark.slow
def test_one_epoch_of_one_network_can_be_drawn() -> None:
    assert "report.html" in drawn([network("only", epochs=1)])


@pytest.mark.slow
def test_a_document_of_another_kind_is_refused_with_the_fields_it_lacks(tmp_path: Path) -> None:
    (tmp_path / "other.json").write_text('[{"name": "a", "title": "A"}]')
    finished = engine_run("draw_comparison.yaml", f"networks={tmp_path / 'other.json'}")
    assert finished.returncode == 1
    message = "The document does not describe a network; it lacks the fields layers, weights"
    assert message in " ".join(finished.stderr.split())


# The whole pipeline ---------------------------------------------------------------------------


@pytest.mark.slow
def test_a_quick_comparison_writes_documents_plots_and_a_report_that_can_be_redrawn(
    tmp_path: Path,
) -> None:
    output = tmp_path / "new" / "folder"
    finished = engine_run(
        "compare_models.yaml", "epochs=1", "images=2000", "networks=dense", f"output={output}"
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    lines = [json.loads(line) for line in finished.stdout.splitlines()]
    [summary] = [line for line in lines if "training_time" in line]
    assert summary["name"] == "Dense network"
    assert 0.6 < summary["validation_accuracy"] < 1

    [document] = json.loads((output / "networks.json").read_text())
    assert document["weights"] == 101_770
    assert document["layers"] == ["Flatten", "Dense 128 relu", "Dense 10 softmax"]
    assert (document["epochs"], document["images"], document["seed"]) == (1, 2000, 1)
    assert document["validation_accuracy"] == document["history"][-1]["validation_accuracy"]
    right = np.trace(np.array(document["confusion"]))
    assert right / 10_000 == pytest.approx(document["validation_accuracy"])

    again = engine_run(
        "draw_comparison.yaml",
        *(f"networks={output / 'networks.json'}", f"output={tmp_path / 'again'}"),
    )
    assert again.returncode == 0, again.stdout + again.stderr
    names = {path.name for path in output.iterdir()} - {"networks.json"}
    assert {path.name for path in (tmp_path / "again").iterdir()} == names
    assert "report.html" in names


@pytest.mark.slow
@pytest.mark.parametrize(
    ("parameter", "message"),
    [
        ("networks=resnet", "The parameter networks names the unknown network 'resnet'"),
        ("epochs=0", "The parameter epochs is '0', but must be a whole number from 1 to 1,000"),
    ],
)
def test_a_wrong_parameter_stops_the_pipeline_and_writes_nothing(
    tmp_path: Path, parameter: str, message: str
) -> None:
    finished = engine_run("compare_models.yaml", parameter, f"output={tmp_path / 'none'}")
    assert finished.returncode == 1
    assert message in " ".join(finished.stderr.split())
    assert not (tmp_path / "none").exists()
