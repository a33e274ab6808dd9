"""Write a Keras model, given as plain data, into a folder from which TensorFlow.js loads it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from engine.sdk import (
    DataError,
    Document,
    Evaluated,
    Example,
    FileName,
    FileTarget,
    Settings,
    Snap,
    Value,
    WrittenFile,
    excerpt,
    outside_setting,
    setting,
)
from snaps.files.shared.tfjs_check import Check
from snaps.files.shared.tfjs_layers import refused
from snaps.files.shared.tfjs_topology import Topology, check_weights, translated
from snaps.files.shared.tfjs_weights import Encoded, Quantization, encoded, shards

MODEL = "model.json"
ENCODER = msgspec.json.Encoder(decimal_format="number")
SHARD_NAME = re.compile(r"group\d+-shard\d+of\d+\.bin")


class TFJSWriterSettings(Settings):
    folder: Evaluated[str] = setting(
        help="The folder for `model.json` and `group1-shard<i>of<n>.bin`: relative to the pipeline "
        "file, `sldb:///` in the project, or a URL. It is made if it is missing.",
        example="../web/dist/model",
    )
    quantize: Evaluated[Quantization] = setting(
        default=Evaluated(value="none", kind=Quantization),
        help="How weights are stored: `none` (float32), `float16` (half the size), or `uint8` (a "
        "quarter; biases and normalisation stay float32).",
        example="float16",
    )
    verify: Evaluated[bool] = setting(
        default=Evaluated(value=False, kind=bool),
        help="Run the model in TensorFlow.js before it is written, and fail if it does not compute "
        "what Keras does. Needs Node, and `probe` in the document.",
    )
    node_folder: Evaluated[str] = setting(
        default=Evaluated("."),
        help="For `verify`: the folder with `node_modules`, or one below it.",
        example="../web",
    )
    allow_outside: bool = outside_setting()


class TFJSWriter(Snap[TFJSWriterSettings]):
    since = "0.1.0"
    writes = True
    would = "write {items} to {folder}"
    about = """
    `topology` is what `model.to_json()` of Keras 3 gives, parsed; `weights` is a list of `{name,
    shape, data}`, named as `conv2d/kernel`, with data as little-endian float32 in bytes or
    base64. A script of a few lines makes the document, and the engine needs no Keras. For `verify`,
    `probe` has `inputs` and `outputs`: for each input and output of the model the shape (with the
    batch) and data of a tensor, and what Keras answers.
    """
    single = True
    replayable = False
    blocking = True
    plain = True
    changes_input = False
    shares_output = False
    examples = (
        Example(
            "a dense layer that doubles its input",
            settings={"folder": "web"},
            given=[
                {
                    "topology": {
                        "class_name": "Sequential",
                        "config": {
                            "name": "doubling",
                            "layers": [
                                {
                                    "module": "keras.layers",
                                    "class_name": "InputLayer",
                                    "config": {"name": "x", "batch_shape": [None, 1]},
                                },
                                {
                                    "module": "keras.layers",
                                    "class_name": "Dense",
                                    "config": {"name": "twice", "units": 1, "use_bias": False},
                                },
                            ],
                        },
                    },
                    "weights": [{"name": "twice/kernel", "shape": [1, 1], "data": "AAAAQA=="}],
                    "metadata": {"unit": "metre"},
                }
            ],
            expect=[
                {
                    "filename": "web/model.json",
                    "result": "created",
                    "shards": ["group1-shard1of1.bin"],
                    "weight_bytes": 4,
                    "removed": [],
                }
            ],
            leaves={
                "web/group1-shard1of1.bin": "\0\0\0@",
                "web/model.json": '{"format":"layers-model","generatedBy":"Keras 3",'
                '"convertedBy":"snapline","modelTopology":{"keras_version":"2.15.0",'
                '"backend":"tensorflow","model_config":{"class_name":"Sequential","config":'
                '{"name":"doubling","layers":[{"class_name":"InputLayer","config":{"name":"x",'
                '"batch_input_shape":[null,1],"dtype":"float32","sparse":false}},{"class_name":'
                '"Dense","config":{"name":"twice","trainable":true,"dtype":"float32","units":1,'
                '"use_bias":false}}]}}},"weightsManifest":[{"paths":["group1-shard1of1.bin"],'
                '"weights":[{"name":"twice/kernel","shape":[1,1],"dtype":"float32"}]}],'
                '"userDefinedMetadata":{"unit":"metre"}}',
            },
        ),
    )

    @classmethod
    def files_written(cls, settings: TFJSWriterSettings) -> Iterable[WrittenFile]:
        yield WrittenFile(
            ("folder",),
            settings.folder,
            is_folder=True,
            creates_folder=True,
            allow_outside=settings.allow_outside,
        )

    def open(self) -> None:
        self._check: Check | None = None
        self._targets: list[FileTarget] = []
        self._interrupted = False

    def process(self, document: Document) -> Document:
        outside = self.settings.allow_outside
        folder = self.context.file(self.settings.folder, document, allow_outside=outside)
        quantize = self.context.value(self.settings.quantize, document)
        topology = translated(document.get("topology"))
        weights = _encoded_weights(document.get("weights"), topology, quantize)
        files = shards(b"".join(weight.content for weight in weights))
        model = _model_json(topology, weights, list(files), document.get("metadata"))
        verified = self._verified(model, b"".join(files.values()), document, quantize)
        name = folder.inside(MODEL)
        earlier = self._shards_named_in(name)
        existed = self.context.files.size(name, to="write") is not None
        self._write(folder, files | {MODEL: model})  # the model last, since it names the others
        removed = [name for name in earlier if name not in files]
        for shard in removed:
            self.context.files.remove(folder.inside(shard))
        return {
            "filename": self.context.files.locate(name),
            "result": "overwritten" if existed else "created",
            "shards": list(files),
            "weight_bytes": sum(map(len, files.values())),
            "removed": removed,
            **verified,
        }

    def _verified(
        self, model: bytes, weights: bytes, document: Document, quantize: Quantization
    ) -> Document:
        if not self.context.value(self.settings.verify, document):
            return {}
        node_folder = self.context.file(self.settings.node_folder, document)
        self._check = Check(self.context.files.locate(node_folder))
        probe = document.get("probe")
        difference = self._check.largest_difference(model, weights, probe, quantize)
        return {"largest_difference": difference}

    def interrupt(self) -> None:
        self._interrupted = True
        if self._check is not None:
            self._check.stop()
        for target in self._targets:
            target.abort()

    def close(self) -> None:
        for target in self._targets:
            target.discard()
        self._targets = []

    def _write(self, folder: FileName, files: Mapping[str, bytes]) -> None:
        """All files are written aside before the first appears under its name."""
        try:
            for name, content in files.items():
                target = self.context.files.write(
                    folder.inside(name), "overwrite", create_folder=True
                )
                self._targets.append(target)
                target.write(content)
            if self._interrupted:  # perhaps before the targets were there to be aborted
                self.interrupt()
            for target in self._targets:
                target.commit()
        finally:
            self.close()

    def _shards_named_in(self, name: FileName) -> list[str]:
        """The shards of an earlier export, which the new one may no longer use."""
        if self.context.files.size(name) is None:
            return []
        try:
            model = msgspec.json.decode(b"".join(self.context.files.read(name)))
            named = [path for group in model["weightsManifest"] for path in group["paths"]]
        except (msgspec.DecodeError, KeyError, TypeError):
            return []  # not written by us: nothing to tidy up
        return [shard for shard in named if isinstance(shard, str) and SHARD_NAME.fullmatch(shard)]


def _encoded_weights(weights: Value, topology: Topology, quantize: Quantization) -> list[Encoded]:
    if not isinstance(weights, list) or not all(isinstance(item, dict) for item in weights):
        raise refused(
            f"the weights are {excerpt(weights)}", "give a list of objects with name, shape, data"
        )
    by_name: dict[str, Any] = {str(weight.get("name")): weight for weight in weights}
    check_weights(topology, [str(weight.get("name")) for weight in weights])
    return [encoded(tfjs, by_name[keras], quantize) for keras, tfjs in topology.weights.items()]


def _model_json(
    topology: Topology, weights: list[Encoded], paths: list[str], metadata: Value
) -> bytes:
    model: dict[str, Value] = {
        "format": "layers-model",
        "generatedBy": "Keras 3",
        "convertedBy": "snapline",
        "modelTopology": {
            "keras_version": "2.15.0",
            "backend": "tensorflow",
            "model_config": topology.model_config,
        },
        "weightsManifest": [{"paths": paths, "weights": [weight.entry for weight in weights]}],
    }
    if metadata is not None:
        model["userDefinedMetadata"] = metadata
    try:
        return ENCODER.encode(model)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise DataError("cannot write the model as JSON", str(error)) from error
