"""TFJSWriter: TensorFlow.js answers as Keras does, for every kind of layer that is written.

The models of one layer come from the table of the layers (tests/tfjs/models.py), the networks from
tests/tfjs/networks.py. One Remote Python script builds all of them and has Keras answer, one Node
process has TensorFlow.js answer.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import pytest

from engine.testing import run_snap
from snaps.files.shared.tfjs_layers import KINDS
from tests.environments import DIGITS
from tests.tfjs.loading import ROOT, all_answers
from tests.tfjs.models import LayerModel, layer_models

SOURCE = (ROOT / "tests/tfjs/keras_answers.py").read_text()
SCRIPTS = ("export_web_model", "keras_file", "tensorflow_setup")
MODULES = [*(f"pipelines/scripts/{name}.py" for name in SCRIPTS), "tests/tfjs/networks.py"]
MODELS = list(layer_models())
TOLERANCE = 1e-5

NETWORKS = (
    *("model_within", "model_within_twice", "model_within_at_the_start", "model_of_models"),
    *("calls_out_of_order", "subtractions", "merged_ranks", "sides_unknown", "sides_of_minus_one"),
    *("fixed_batch", "input_that_is_an_output", "inputs_that_are_not_used", "whole_numbers"),
    *("same_output_twice_by_identity", "named_with_a_dot", "fractions_normalised"),
)
REFUSED = {
    "same_output_twice": "TensorFlow.js takes each only once",
    "strange_name": "the layer 'my dense' (Dense) has a name that TensorFlow.js does not take",
    "normalised_volume": "has an input of the shape [null,2,2,2,3]",
    "normalised_rows": "has axis 1, which TensorFlow.js does not know; it computes with the last",
    "softmax_of_rows": "has axis 1, which TensorFlow.js does not know; it computes with the last",
    "sides_unknown_flattened": "TensorFlow.js must know all of it but the batch",
    "reset_after": "has reset_after true, which TensorFlow.js does not know",
    "whole_numbers_normalised": "has an integer input, for which TensorFlow.js",
    "whole_rescaling": "computes in int32, and TensorFlow.js would compute in float32",
}

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("node") is None, reason="TensorFlow.js runs in Node"),
]


class Comparison(msgspec.Struct, frozen=True):
    """What comes of a model: Keras' own refusal, that of the export, or the answers of both."""

    keras_error: str = ""
    refusal: str = ""
    expected: list[Any] = []
    answered: Mapping[str, Any] = {}

    @property
    def mistake(self) -> str:
        """Empty if TensorFlow.js answers as Keras does."""
        if "error" in self.answered:
            return str(self.answered["error"])
        pairs = zip(self.answered["outputs"], self.expected, strict=True)
        difference = max(_difference(output, expected) for output, expected in pairs)
        return f"differs by {difference:g}" if difference > TOLERANCE else ""


def _difference(output: Any, expected: Any) -> float:
    """The largest, as a share of the largest number; infinite where the shapes differ."""
    left, right = np.array(output, "f8"), np.array(expected, "f8")
    if left.shape != right.shape or not np.isfinite(left).all():
        return float("inf")
    return float(np.abs(left - right).max() / max(1, np.abs(right).max()))


def compare(rows: Sequence[dict[str, Any]], folder: Path) -> Iterator[Comparison]:
    settings = {"source": SOURCE, "modules": MODULES, **DIGITS}
    keras = run_snap("RemotePythonScript", settings, list(rows), project=ROOT).output
    refusals = exported(keras, folder)
    written = [place for place, refusal in enumerate(refusals) if not refusal]
    answers = all_answers([(folder / str(place), keras[place]["given"]) for place in written])
    answered = dict(zip(written, answers, strict=True))
    for place, answer in enumerate(keras):
        expected = answer.get("expected", [])
        error = answer.get("error", "")
        yield Comparison(error, refusals[place], expected, answered.get(place, {}))


def exported(models: Sequence[Mapping[str, Any]], folder: Path) -> list[str]:
    """Each model is written into a folder named by its place, or there is a reason why not."""
    refusals = [str(model.get("error", "")) for model in models]
    documents = [
        {"place": str(place), "topology": model["topology"], "weights": model["weights"]}
        for place, model in enumerate(models)
        if "error" not in model
    ]
    settings = {"folder": "= $place"}
    run = run_snap("TFJSWriter", settings, documents, on_error="route", project=folder)
    for error in run.errors:
        refusals[int(error["original"]["place"])] = error["reason"]
    return refusals


@pytest.fixture(scope="module")
def comparisons(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[tuple[LayerModel, Comparison]], dict[str, Comparison]]:
    names = [*NETWORKS, *REFUSED]
    rows = [
        *(msgspec.to_builtins(model) for model in MODELS),
        *({"network": name} for name in names),
    ]
    compared = list(compare(rows, tmp_path_factory.mktemp("models")))
    layers = list(zip(MODELS, compared[: len(MODELS)], strict=True))
    return layers, dict(zip(names, compared[len(MODELS) :], strict=True))


def test_every_layer_that_is_written_answers_as_in_keras(comparisons: Any) -> None:
    written = [(model, compared) for model, compared in comparisons[0] if compared.answered]
    mistakes = {model.description: found.mistake for model, found in written if found.mistake}
    assert mistakes == {}
    assert len(written) > 500


def test_every_value_that_the_table_keeps_is_compared(comparisons: Any) -> None:
    """A value is left out of the comparison only if Keras itself refuses it."""
    refusals = {
        model.description: found.refusal
        for model, found in comparisons[0]
        if found.refusal and not found.keras_error and "above 1" not in found.refusal
    }
    assert refusals == {}
    compared: dict[tuple[str, str], list[Any]] = {}
    for model, found in comparisons[0]:
        for key, value in model.settings.items():
            if found.answered:
                compared.setdefault((model.class_name, key), []).append(value)
    kept = {(name, key) for name, kind in KINDS.items() for key in kind.settings}
    assert set(compared) == kept


@pytest.mark.parametrize("name", NETWORKS)
def test_a_network_answers_in_tensorflow_js_as_in_keras(comparisons: Any, name: str) -> None:
    found = comparisons[1][name]
    assert (found.keras_error, found.refusal, found.mistake) == ("", "", "")


@pytest.mark.parametrize("name", REFUSED)
def test_a_network_that_would_answer_otherwise_is_refused(comparisons: Any, name: str) -> None:
    found = comparisons[1][name]
    assert found.keras_error == ""
    assert REFUSED[name] in found.refusal
