"""export_web_model.yaml: networks of Keras answer the same in TensorFlow.js, or are refused."""

import base64
import io
import json
import subprocess
import sys
import types
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from engine.pipeline import load
from engine.testing import SnapRun, run_snap
from tests.environments import DIGITS
from tests.pipelines.conftest import load_script
from tests.tfjs.loading import ROOT, answers

PIPELINE = ROOT / "pipelines/export_web_model.yaml"
NETWORKS = (ROOT / "tests/tfjs/networks.py").read_text()


@pytest.fixture
def exporter(monkeypatch: pytest.MonkeyPatch) -> Any:
    return load_script("export_web_model", monkeypatch)


def archive(**files: Any) -> str:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as written:
        for name, value in files.items():
            written.writestr(name.replace("_json", ".json"), json.dumps(value))
    return base64.b64encode(content.getvalue()).decode()


def network(*layers: Any) -> dict[str, Any]:
    return {"class_name": "Sequential", "config": {"layers": list(layers)}}


SUBCLASS = {
    "module": "shop",
    "class_name": "Shop",
    "config": {"trainable": True, "dtype": "float32"},
}
CUSTOM = {
    "module": None,
    "class_name": "Gate",
    "registered_name": "shop>Gate",
    "config": {"name": "gate"},
}


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (None, "must be a base64 string, not null"),
        (["UEsD"], "must be a base64 string, not a list"),
        ("UEsDB@@@", "not valid base64"),
        (base64.b64encode(b"<html>").decode(), "its 6 bytes are not a zip archive"),
        (base64.encodebytes(b"<html>" * 20).decode(), "its 120 bytes are not a zip archive"),
        (archive(other_json={}), r"not a \.keras file: .*config\.json"),
        (archive(config_json=network(CUSTOM)), r"The layer 'gate' is a Gate \(shop>Gate\)"),
        (
            archive(config_json=SUBCLASS),
            r"The model is a subclass of keras.Model \(Shop\), not a Sequential or Functional",
        ),
        (archive(config_json=[]), "The model is a list, not a Sequential or Functional model"),
        (
            archive(config_json=network({"class_name": "Gate", "config": None})),
            r"A layer is a Gate \(no module\), which is not a layer of Keras",
        ),
        (
            archive(config_json=network({"module": "keras", **network(CUSTOM)})),
            r"The layer 'gate' is a Gate \(shop>Gate\), which is not a layer of Keras",
        ),
    ],
)
def test_an_invalid_model_is_refused_before_it_is_loaded(
    exporter: Any, model: Any, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        exporter.snaplogic_process({"model": model})


def test_a_document_without_a_model_is_refused(exporter: Any) -> None:
    with pytest.raises(ValueError, match=r"must have a 'model', .* its fields are: 'image', 'id'"):
        exporter.snaplogic_process({"image": [], "id": 1})


def test_a_file_without_documents_is_refused(exporter: Any) -> None:
    with pytest.raises(ValueError, match="No model came"):
        exporter.snaplogic_final()


def shapes(given: Any, answered: Any) -> Any:
    return types.SimpleNamespace(input_shape=given, output_shape=answered)


def test_the_metadata_holds_labels_accuracy_and_input_shape(exporter: Any) -> None:
    document = {"model": "…", "labels": [0, 1], "accuracy": 0.9, "seed": 1}
    found = exporter.metadata(shapes((None, 28, 28, 1), (None, 2)), document)
    assert found == {"labels": [0, 1], "accuracy": 0.9, "input_shape": [28, 28, 1]}
    assert exporter.metadata(shapes([(None, 2), (None, 3)], (None, 2)), {}) == {}


def test_a_model_that_was_never_built_has_no_shapes(exporter: Any) -> None:
    assert exporter.metadata(types.SimpleNamespace(), {}) == {}
    with pytest.raises(ValueError, match="output shape is None, which does not match the labels"):
        exporter.metadata(types.SimpleNamespace(), {"labels": [0, 1]})


@pytest.mark.parametrize("labels", [[0, 1, 2], "ab"])
def test_labels_must_match_the_output(exporter: Any, labels: Any) -> None:
    with pytest.raises(ValueError, match="does not match the labels"):
        exporter.metadata(shapes((None, 4), (None, 2)), {"labels": labels})


# With TensorFlow ------------------------------------------------------------------------------


KNOWN = (
    *("sequential", "mixed_precision", "functional", "every_layer", "embedded_words"),
    *("without_weights", "model_within", "model_within_twice"),
)
REFUSED = {
    "bare_sum": "is the operation Add of keras.src.ops.numpy, not a layer",
    "grouped": "has groups 3, which TensorFlow.js does not know",
}


@pytest.fixture(scope="module")
def networks() -> dict[str, dict[str, Any]]:
    """The networks by name: `model`, what is `given` to them and `expected`."""
    names = [*KNOWN, *REFUSED, "own_layer"]
    settings = {"source": NETWORKS, **DIGITS}
    rows = [{"name": name} for name in names]
    built = run_snap("RemotePythonScript", settings, rows, project=ROOT).output
    return dict(zip(names, built, strict=True))


@pytest.fixture(scope="module")
def taken_apart(networks: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The output of the pipeline's script for the networks that Keras can load here."""
    names = [*KNOWN, *REFUSED]
    settings = dict(load(PIPELINE).snaps["take_apart"].settings)
    models = [{"model": networks[name]["model"]} for name in names]
    run = run_snap("RemotePythonScript", settings, models, project=PIPELINE.parent)
    return dict(zip(names, run.output, strict=True))


def written(document: dict[str, Any], folder: Path, quantize: str = "none") -> SnapRun:
    settings = {"folder": str(folder), "quantize": quantize}
    return run_snap("TFJSWriter", settings, [document], on_error="route", project=folder.parent)


@pytest.mark.slow
@pytest.mark.parametrize("name", KNOWN)
def test_a_network_gives_the_same_answers_in_tensorflow_js_as_in_keras(
    tmp_path: Path, networks: Any, taken_apart: Any, name: str
) -> None:
    network = networks[name]
    for quantize, tolerance in (("none", 1e-5), ("float16", 2e-3)):
        folder = tmp_path / quantize
        assert written(taken_apart[name], folder, quantize).errors == []
        outputs = answers(folder, *network["given"])["outputs"]
        for answered, expected in zip(outputs, network["expected"], strict=True):
            assert np.abs(np.array(answered) - np.array(expected)).max() <= tolerance
            assert (np.argmax(answered, axis=1) == np.argmax(expected, axis=1)).all()


@pytest.mark.slow
@pytest.mark.parametrize("name", REFUSED)
def test_an_unsupported_network_is_refused_with_the_name_of_the_layer(
    tmp_path: Path, taken_apart: Any, name: str
) -> None:
    [error] = written(taken_apart[name], tmp_path / "web").errors
    assert REFUSED[name] in error["reason"]
    assert not (tmp_path / "web").exists()


def export(*parameters: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "engine", "run", str(PIPELINE)]
    for parameter in parameters:
        command += ["--param", parameter]
    return subprocess.run(command, capture_output=True, text=True, timeout=600)


@pytest.mark.slow
def test_the_pipeline_writes_the_files_and_says_which(tmp_path: Path, networks: Any) -> None:
    network = networks["sequential"]
    document = {"model": network["model"], "labels": list(range(10)), "accuracy": 0.5}
    (tmp_path / "model.json").write_text(json.dumps(document))
    folder = tmp_path / "web/model"
    given = (f"model={tmp_path / 'model.json'}", f"folder={folder}", "quantize=float16")
    done = export(*given)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == {
        "filename": str(folder / "model.json"),
        "result": "created",
        "shards": ["group1-shard1of1.bin"],
        "weight_bytes": 2 * 938,
        "removed": [],
    }
    metadata = answers(folder, *network["given"])["metadata"]
    assert metadata == {"labels": list(range(10)), "accuracy": 0.5, "input_shape": [12, 12, 3]}


@pytest.mark.slow
def test_a_custom_layer_stops_the_pipeline_and_is_named(tmp_path: Path, networks: Any) -> None:
    network = networks["own_layer"]
    (tmp_path / "model.json").write_text(json.dumps({"model": network["model"]}))
    done = export(f"model={tmp_path / 'model.json'}", f"folder={tmp_path / 'web'}")
    assert done.returncode == 1
    assert "The layer 'twice' is a Doubling" in done.stderr
    assert not (tmp_path / "web").exists()
