"""build_model.py: its parameters, its numbers and the progress that it prints."""

import base64
from pathlib import Path
from typing import Any

import numpy as np
import pytest


def test_empty_parameters_mean_the_defaults_of_the_architecture(build_model: Any) -> None:
    classic = build_model.read_settings({"epochs": "", "precision": "float32"})
    fast = build_model.read_settings({"architecture": "fast", "images": None})
    assert (classic.architecture, classic.epochs, classic.batch_size) == ("classic", 12, 128)
    assert (fast.epochs, fast.images) == (4, 60_000)


def test_numbers_are_read_from_text_and_from_numbers(build_model: Any) -> None:
    settings = build_model.read_settings({"epochs": " 3 ", "seed": 7, "images": "6000"})
    assert (settings.epochs, settings.seed, settings.images) == (3, 7, 6000)


@pytest.mark.parametrize(
    ("name", "text", "allowed"),
    [
        ("epochs", "0", "a whole number from 1 to 1,000"),
        ("epochs", "twelve", "a whole number from 1 to 1,000"),
        ("epochs", "1.5", "a whole number from 1 to 1,000"),
        ("batch_size", "-1", "a whole number from 1 to 10,000"),
        ("images", "60001", "a whole number from 1 to 60,000"),
        ("seed", "²", "a whole number from 0"),
        ("architecture", "resnet", "classic or fast"),
        ("precision", "float16", "auto or bfloat16 or float32"),
    ],
)
def test_a_wrong_parameter_is_named_with_what_is_allowed(
    build_model: Any, name: str, text: str, allowed: str
) -> None:
    with pytest.raises(ValueError, match=f"parameter {name} is '{text}', but must be {allowed}"):
        build_model.read_settings({name: text})


@pytest.mark.parametrize(
    ("flags", "precision"),
    [
        ("sse2 avx512_bf16 gfni", "bfloat16"),
        ("sse2 amx_bf16", "bfloat16"),
        ("sse2 avx512_bf16_not", "float32"),
    ],
)
def test_automatic_precision_follows_the_processor(
    build_model: Any, monkeypatch: pytest.MonkeyPatch, flags: str, precision: str
) -> None:
    monkeypatch.setattr(Path, "read_text", lambda path: f"flags\t\t: fpu {flags}\n")
    assert build_model.read_settings({}).precision == precision


def test_a_machine_without_cpuinfo_computes_in_float32(
    build_model: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(path: Path) -> str:
        raise FileNotFoundError(path)

    monkeypatch.setattr(Path, "read_text", missing)
    assert build_model.read_settings({"precision": "auto"}).precision == "float32"


def test_images_are_scaled_and_get_a_channel(build_model: Any) -> None:
    images = build_model.network_input(np.full((2, 28, 28), 255, np.uint8))
    assert images.shape == (2, 28, 28, 1)
    assert images.dtype == np.float32
    assert images.max() == 1


def test_targets_are_one_hot(build_model: Any) -> None:
    assert build_model.one_hot(np.array([3, 0])).tolist() == [
        [0, 0, 0, 1, 0, 0, 0, 0, 0, 0],
        [1, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ]


def test_progress_is_plain_lines_within_and_after_an_epoch(
    build_model: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = build_model.Progress(epochs=12, steps=10)
    for batch in range(10):
        progress.step(batch, {"loss": 0.25, "accuracy": 0.5})
    progress.epoch(0, {"loss": 0.125, "accuracy": 0.984})
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("  loss")[0] for line in lines] == [
        "epoch  1/12   20%",
        "epoch  1/12   40%",
        "epoch  1/12   60%",
        "epoch  1/12   80%",
        "epoch  1/12  done",
    ]
    assert "loss 0.1250  accuracy 98.40 %" in lines[4]
    assert progress.history[0]["accuracy"] == 0.984


def test_few_steps_do_not_repeat_a_line(
    build_model: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    progress = build_model.Progress(epochs=1, steps=2)
    for batch in range(2):
        progress.step(batch, {"loss": 1.0, "accuracy": 0.5})
    assert capsys.readouterr().out == ""


def test_a_row_gets_no_answer(build_model: Any) -> None:
    assert build_model.snaplogic_process({}) is None


def compiled_by(build_model: Any, monkeypatch: pytest.MonkeyPatch, difference: float) -> Any:
    """What the script emits as `litert` when Keras and LiteRT differ by `difference`."""
    monkeypatch.setattr(build_model, "litert_model", lambda model: b"flatbuffer")
    monkeypatch.setattr(build_model, "largest_difference", lambda *_: difference)
    return build_model.litert_text(object(), np.zeros((1, 28, 28, 1), np.float32))


def test_the_compiled_network_is_emitted_when_it_agrees_with_keras(
    build_model: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compiled_by(build_model, monkeypatch, 1e-6) == base64.b64encode(b"flatbuffer").decode()
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("difference", [0.01, float("nan")])
def test_a_compiled_network_that_disagrees_is_left_out_with_a_warning(
    build_model: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    difference: float,
) -> None:
    assert compiled_by(build_model, monkeypatch, difference) is None
    said = capsys.readouterr().out
    assert said.startswith("warning: the network could not be compiled for LiteRT")
    assert f"its probabilities differ from Keras' by up to {difference:.2g}" in said


def test_a_network_that_could_not_be_compiled_is_kept_for_testing(
    build_model: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(model: Any) -> bytes:
        raise RuntimeError("unknown\noperation")

    monkeypatch.setattr(build_model, "litert_model", refuse)
    assert build_model.litert_text(object(), np.zeros((1, 28, 28, 1), np.float32)) is None
    assert "(RuntimeError: unknown operation)" in capsys.readouterr().out
