"""Whether TensorFlow.js computes what Keras did: it runs the exported model in Node.

The document brings the inputs and Keras' outputs for them (`probe`), so the engine needs no Keras.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from array import array
from collections.abc import Mapping, Sequence
from math import isfinite, prod
from typing import Any

from engine.sdk import DataError, ExecutionError, Value, excerpt
from snaps.files.shared.tfjs_weights import Quantization

TOLERANCES: Mapping[Quantization, float] = {"none": 1e-4, "float16": 0.02, "uint8": 0.25}
"""The largest difference that rounding the weights explains, as a share of the largest output."""

TIMEOUT = 120.0
"""Seconds for Node to load TensorFlow.js and to run the model."""

_PACKAGES = " ".join(f"@tensorflow/tfjs-{name}" for name in ("core", "layers", "backend-cpu"))

_PROGRAM = """
import { createRequire } from "node:module";
import { text } from "node:stream/consumers";

const { folder, model, weights, inputs } = JSON.parse(await text(process.stdin));
const require = createRequire(`${folder}/package.json`);
const { io, setBackend, tensor } = require("@tensorflow/tfjs-core");
const { loadLayersModel } = require("@tensorflow/tfjs-layers");
require("@tensorflow/tfjs-backend-cpu");

const bytes = (content) => Uint8Array.from(Buffer.from(content, "base64")).buffer;
await setBackend("cpu");
const loaded = await loadLayersModel(
  io.fromMemory({
    modelTopology: model.modelTopology,
    format: model.format,
    weightSpecs: model.weightsManifest.flatMap((group) => group.weights),
    weightData: bytes(weights),
  }),
);
const given = inputs.map(({ shape, data }, place) =>
  tensor(new Float32Array(bytes(data)), shape).cast(loaded.inputs[place].dtype),
);
const outputs = [loaded.predict(given)].flat().map((output) => ({
  shape: output.shape,
  data: Buffer.from(Float32Array.from(output.dataSync()).buffer).toString("base64"),
}));
console.log(JSON.stringify(outputs));
"""


class Check:
    """One run of Node, which `stop` ends from another thread."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._process: subprocess.Popen[str] | None = None

    def largest_difference(
        self, model: bytes, weights: bytes, probe: Value, quantize: Quantization
    ) -> float:
        """How much TensorFlow.js differs from Keras, as a share of the largest output. Raises
        DataError if that is more than rounding explains."""
        inputs, expected = _tensors(probe, "inputs"), _tensors(probe, "outputs")
        answered = self._run(
            {
                "folder": self._folder,
                "model": json.loads(model),
                "weights": base64.b64encode(weights).decode("ascii"),
                "inputs": inputs,
            }
        )
        difference = max(map(_difference, answered, expected), default=float("inf"))
        if len(answered) != len(expected) or not difference <= TOLERANCES[quantize]:
            raise DataError(
                "TensorFlow.js does not compute what Keras does",
                f"on the inputs of `probe`, their outputs differ by {difference:.3g} of the "
                f"largest; rounding explains {TOLERANCES[quantize]:g}",
                "report the model as a fault of TFJSWriter, or set verify to false",
            )
        return difference

    def stop(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _run(self, asked: Mapping[str, Any]) -> list[Any]:
        command = ["node", "--input-type=module", "--eval", _PROGRAM]
        pipe = subprocess.PIPE
        try:
            self._process = subprocess.Popen(
                command, stdin=pipe, stdout=pipe, stderr=pipe, text=True
            )
        except OSError as error:
            raise ExecutionError(
                f"verify needs Node, which cannot be started: {error}",
                "install Node.js, or set verify to false",
            ) from None
        try:
            output, problems = self._process.communicate(json.dumps(asked), timeout=TIMEOUT)
        except subprocess.TimeoutExpired:
            raise DataError(
                "TensorFlow.js did not run the model",
                f"it took longer than {TIMEOUT:g} seconds",
                "give a smaller `probe`, or set verify to false",
            ) from None
        finally:
            self.stop()
            self._process.wait()
            self._process = None
        if "Cannot find module '@tensorflow" in problems:
            raise ExecutionError(
                f"verify needs TensorFlow.js, which Node does not find from {self._folder}",
                "set node_folder to the folder with node_modules, or run "
                f"`npm install {_PACKAGES}` there",
            )
        if not output:
            lines = [line for line in problems.splitlines() if "Error" in line]
            raise DataError(
                "TensorFlow.js cannot load or run the model",
                excerpt(lines[0], 300) if lines else "Node was stopped",
                "report the model as a fault of TFJSWriter, or set verify to false",
            )
        answered: list[Any] = json.loads(output)
        return answered


def _tensors(probe: Value, name: str) -> Sequence[Any]:
    """The tensors `inputs` or `outputs` of the probe: lists of shape and base64 data."""
    found = probe.get(name) if isinstance(probe, dict) else None
    if not isinstance(found, list) or not all(map(_is_tensor, found)) or not found:
        raise DataError(
            "the model cannot be verified",
            f"`probe.{name}` is {excerpt(found)}, not a list of objects with shape and data",
            "give `probe` with inputs and Keras' outputs for them (little-endian float32 as "
            "base64), or set verify to false",
        )
    return found


def _is_tensor(item: Value) -> bool:
    try:
        return isinstance(item, dict) and len(_numbers(item)) == prod(item["shape"]) > 0
    except (KeyError, TypeError, ValueError):
        return False


def _numbers(tensor: Mapping[str, Any]) -> array[float]:
    numbers = array("f", base64.b64decode(tensor["data"], validate=True))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers


def _difference(answered: Any, expected: Any) -> float:
    left, right = _numbers(answered), _numbers(expected)
    if answered["shape"] != list(expected["shape"]) or not all(map(isfinite, left)):
        return float("inf")
    largest = max(1.0, *map(abs, right))
    return max(abs(a - b) for a, b in zip(left, right, strict=True)) / largest
