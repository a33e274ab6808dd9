"""Recognise the digit in each request's image, with the network compiled for LiteRT.

A Remote Python script without modules. The snap's requirements name its library, `ai-edge-litert`;
it does not need TensorFlow, so it starts quickly. A document with `litert`, as model_building.yaml
saves it, contains the network and must come first. A document with an `image` is a sample: 28 rows
of 28 grey values (or all 784 in one list), a white digit on black, from 0 to 255 or, if no value is
above 1, from 0 to 1. The answer has `pred`, the label, `conf`, its probability, `second`, the next
best label, `sure`, whether `conf` is as high as it nearly always is when `pred` is right, and the
sample's other fields.
"""

import base64
import binascii
import contextlib
import os
from itertools import chain, islice

import numpy as np
from snaplogic.tool import SLTool as slt  # noqa: N813

SHAPE = (28, 28, 1)
NUMBERS = 28 * 28
MAX_NUMBERS = 100_000
"""An image with more values is refused before an array is made of it."""
BATCH_SIZES = (8, 4, 2, 1)
"""How many images one call of the network takes. Larger batches are no faster on a CPU."""

SURE_ABOVE = 0.6
"""For a model document that does not say above which confidence the network is sure."""

network = None
labels = []
sure_above = SURE_ABOVE


# Samples --------------------------------------------------------------------------------------


def network_input(image):
    """The image as float32 from 0 to 1, of shape (28, 28, 1)."""
    values = from_whole_numbers(image)
    return checked_values(image) if values is None else values


def from_whole_numbers(image):
    """The fast path for 28 rows of whole numbers from 0 to 255; None for anything else.

    An image without a number above 1 is not on this path: its values go from 0 to 1.
    """
    try:
        if len(image) != 28 or set(map(len, image)) != {28}:
            return None
        content = bytearray(chain.from_iterable(image))
    except (TypeError, ValueError, OverflowError):
        return None
    if not content.translate(None, b"\0\1"):
        return None
    return (np.frombuffer(content, np.uint8) / np.float32(255)).reshape(SHAPE)


def checked_values(image):
    values = grey_values(image)
    if values.shape not in ((28, 28), SHAPE, (NUMBERS,)):
        raise ValueError(
            "The image must be 28 rows of 28 numbers, or 784 numbers in one list;"
            f" its shape is {' x '.join(map(str, values.shape)) or 'a single number'}."
        )
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 255:
        raise ValueError(
            "The numbers of the image must be from 0 to 255 (or from 0 to 1);"
            f" they are from {values.min():g} to {values.max():g}."
        )
    scaled = values / 255 if values.max() > 1 else values
    return scaled.astype(np.float32).reshape(SHAPE)


def grey_values(image):
    if not isinstance(image, list):
        raise ValueError(f"The image must be a list of numbers, not {described(image)}.")
    if is_huge(image):
        raise ValueError(
            "The image must be 28 rows of 28 numbers, or 784 numbers in one list;"
            f" it has more than {MAX_NUMBERS:,} values."
        )
    try:
        values = np.array(image)
    except ValueError:
        lengths = sorted({len(row) if isinstance(row, list) else 1 for row in image})
        raise ValueError(
            f"All rows of the image must have the same length; it has {len(image)} rows of"
            f" {', '.join(map(str, lengths[:10]))} values."
        ) from None
    if values.dtype.kind not in "iuf" and values.size:
        raise ValueError("The image must contain only numbers.")
    return values.astype(np.float64)


def is_huge(image):
    """Whether the image has more values or rows than allowed, at any depth of nesting."""
    values = image
    while values and len(values) <= MAX_NUMBERS:
        rows = (value for value in values if isinstance(value, list))
        values = list(islice(chain.from_iterable(rows), MAX_NUMBERS + 1))
    return bool(values)


def described(value):
    kinds = {str: "a string", dict: "an object", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), "a number")


def others(row):
    return {name: value for name, value in row.items() if name != "image"}


# The network ----------------------------------------------------------------------------------


class Network:
    """The compiled model: one interpreter for each batch size, all ready to run.

    Changing an interpreter's batch size takes milliseconds; running it takes a tenth of one.
    """

    def __init__(self, content):
        self._interpreters = [BatchInterpreter(content, size) for size in BATCH_SIZES]
        self.outputs = self._interpreters[-1].outputs
        self.run_one = self._interpreters[-1].run

    def run(self, images):
        """The probabilities of the labels, one row per image."""
        results, start = [], 0
        for interpreter in self._interpreters:
            while len(images) - start >= interpreter.size:
                end = start + interpreter.size
                results.append(interpreter.run(images[start:end]))
                start = end
        return np.concatenate(results)


class BatchInterpreter:
    """LiteRT on one thread: several instances share the cores, so more threads would only wait."""

    def __init__(self, content, size):
        from ai_edge_litert.interpreter import Interpreter

        self.size = size
        litert = Interpreter(model_content=content, num_threads=1)
        [given], [answered] = litert.get_input_details(), litert.get_output_details()
        check_input(given)
        litert.resize_tensor_input(given["index"], (size, *SHAPE))
        litert.allocate_tensors()
        self._litert, self._given, self._answered = litert, given["index"], answered["index"]
        self.outputs = self.run(np.zeros((size, *SHAPE), np.float32)).shape[1:]

    def run(self, images):
        self._litert.set_tensor(self._given, images)
        self._litert.invoke()
        return self._litert.get_tensor(self._answered)


def check_input(given):
    shape = tuple(map(int, given["shape_signature"]))
    if shape != (-1, *SHAPE) or given["dtype"] is not np.float32:
        raise ValueError(
            f"its input is {given['dtype'].__name__} of shape {shape}; it must be float32 of shape"
            " (-1, 28, 28, 1), where -1 means any number of images"
        )


def load(document):
    """The network in a document, and the labels of its outputs."""
    content = compiled_content(document)
    try:
        with quiet():
            found = Network(content)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"LiteRT cannot run the model: {error}") from error
    names = document.get("labels", list(range(10)))
    if not isinstance(names, list) or found.outputs != (len(names),):
        raise ValueError(
            f"The model's output shape is {found.outputs}, which does not match the labels {names}."
        )
    return found, names


def compiled_content(document):
    """The decoded field `litert`, which must be a LiteRT file."""
    text = document.get("litert")
    if text is None:
        raise ValueError(
            "The model has no field 'litert', the network compiled for LiteRT: an older"
            " model_building.yaml saved it, or it could not be compiled. Run model_building.yaml"
            " again."
        )
    if not isinstance(text, str):
        raise ValueError(f"The field 'litert' must be a base64 string, not {described(text)}.")
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"The field 'litert' is not valid base64: {error}.") from None
    if content[4:8] != b"TFL3":
        raise ValueError(
            f"The field 'litert' is not a LiteRT model: its {len(content):,} bytes do not have the"
            " identifier TFL3."
        )
    return content


def confidence_limit(document):
    limit = document.get("sure_above", SURE_ABOVE)
    if isinstance(limit, bool) or not isinstance(limit, int | float):
        raise ValueError(f"The field 'sure_above' must be a number, not {described(limit)}.")
    return limit


@contextlib.contextmanager
def quiet():
    """Silence LiteRT, which writes to standard error when it starts."""
    stream = os.dup(2)
    with open(os.devnull, "wb") as nowhere:  # noqa: PTH123 - a device
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        os.dup2(stream, 2)
        os.close(stream)


def brings_model(row):
    return "litert" in row or "model" in row


# The functions of a Remote Python script ------------------------------------------------------


def snaplogic_process(row):
    global network, labels, sure_above
    if brings_model(row):
        network, labels = load(row)
        sure_above = confidence_limit(row)
        return slt.get_drop_doc()
    check_order(row)
    return answers(network.run_one(network_input(row["image"])[None]), [row])[0]


def snaplogic_process_batch(rows):
    """Answer many rows at once. If this raises, the rows are processed one by one."""
    if len(rows) == 1 or any(map(brings_model, rows)):
        return [snaplogic_process(row) for row in rows]
    for row in rows:
        check_order(row)
    return answers(network.run(np.stack([network_input(row["image"]) for row in rows])), rows)


def answers(probabilities, rows):
    return [
        {**answer(values), **others(row)}
        for values, row in zip(probabilities.tolist(), rows, strict=True)
    ]


def answer(values):
    """What the probabilities of the labels say; of equal ones, the first label counts."""
    ranks = sorted(range(len(values)), key=values.__getitem__, reverse=True)
    likely = values[ranks[0]]
    return {
        "pred": labels[ranks[0]],
        "conf": likely,
        "second": labels[ranks[1]] if len(ranks) > 1 else None,
        "sure": likely >= sure_above,
    }


def check_order(row):
    if "image" not in row:
        fields = ", ".join(map(repr, row)) or "none"
        raise ValueError(
            "A document must have an 'image' (a sample) or a 'litert' (the model, as"
            f" model_building.yaml saves it); its fields are: {fields}."
        )
    if network is None:
        raise ValueError(
            "The sample came before the model, so it could not be answered. The model is a document"
            " with the field 'litert'; model_building.yaml saves one."
        )
