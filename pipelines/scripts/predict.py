"""Answer requests with the digit on their image, from the network compiled for LiteRT.

A Remote Python script that stands alone. Its library, `ai-edge-litert`, is named by the snap's
requirements; TensorFlow is not needed, so it is up at once. The document with `litert`, as the
building pipeline saves it, brings the network and must come first. One with an `image` is a
sample: 28 rows of 28 grey values (or all 784 in one list), white digit on black, from 0 to 255 or,
if none is above 1, from 0 to 1. It is answered with `pred`, the label, and `conf`, its
probability; its other fields go along.
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
MOST_NUMBERS = 100_000
"""More of them are refused before an array is made of them."""
SIZES = (8, 4, 2, 1)
"""Images that one call of the network takes. Larger batches bring nothing on a processor."""

network = None
labels = []


# Samples --------------------------------------------------------------------------------------


def network_input(image):
    """The image as float32 from 0 to 1, of shape (28, 28, 1)."""
    values = from_whole_numbers(image)
    return checked_values(image) if values is None else values


def from_whole_numbers(image):
    """The quick way for 28 rows of whole numbers from 0 to 255; None for anything else.

    An image without a number above 1 is none of these: it counts from 0 to 1.
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
            f" this one has the shape {' x '.join(map(str, values.shape)) or 'of one number'}."
        )
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 255:
        raise ValueError(
            "The image must have numbers from 0 to 255 (or from 0 to 1);"
            f" this one has {values.min():g} to {values.max():g}."
        )
    scaled = values / 255 if values.max() > 1 else values
    return scaled.astype(np.float32).reshape(SHAPE)


def grey_values(image):
    if not isinstance(image, list):
        raise ValueError(f"The image must be a list of numbers, not {described(image)}.")
    if is_huge(image):
        raise ValueError(
            "The image must be 28 rows of 28 numbers, or 784 numbers in one list;"
            f" this one has more than {MOST_NUMBERS:,} values."
        )
    try:
        values = np.array(image)
    except ValueError:
        lengths = sorted({len(row) if isinstance(row, list) else 1 for row in image})
        raise ValueError(
            f"The image must have rows of one length; this one has {len(image)} rows of"
            f" {', '.join(map(str, lengths[:10]))} values."
        ) from None
    if values.dtype.kind not in "iuf" and values.size:
        raise ValueError("The image must have numbers only.")
    return values.astype(np.float64)


def is_huge(image):
    """Whether the rows, or the rows within them, are more than an image can have."""
    values = image
    while values and len(values) <= MOST_NUMBERS:
        rows = (value for value in values if isinstance(value, list))
        values = list(islice(chain.from_iterable(rows), MOST_NUMBERS + 1))
    return bool(values)


def described(value):
    kinds = {str: "a text", dict: "an object", bool: "a truth value", type(None): "nothing"}
    return kinds.get(type(value), "a number")


def others(row):
    return {name: value for name, value in row.items() if name != "image"}


# The network ----------------------------------------------------------------------------------


class Network:
    """The compiled model: an interpreter for each of a few batch sizes, all ready to run.

    Giving an interpreter another batch size takes milliseconds, running it a tenth of one.
    """

    def __init__(self, content):
        self._interpreters = [BatchInterpreter(content, size) for size in SIZES]
        self.outputs = self._interpreters[-1].outputs
        self.run_one = self._interpreters[-1].run

    def run(self, images):
        """The probabilities of the labels, a row for each image."""
        results, start = [], 0
        for interpreter in self._interpreters:
            while len(images) - start >= interpreter.size:
                end = start + interpreter.size
                results.append(interpreter.run(images[start:end]))
                start = end
        return np.concatenate(results)


class BatchInterpreter:
    """LiteRT on one thread: instances run side by side, and two would wait for each other."""

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
            f"it takes {given['dtype'].__name__} of the shape {shape}, not float32 of (-1, 28, 28,"
            " 1), where -1 is any number of images"
        )


def load(document):
    """The network of a document, and the labels that its outputs stand for."""
    content = compiled_content(document)
    try:
        with quiet():
            found = Network(content)
    except (ValueError, TypeError, RuntimeError) as error:
        raise ValueError(f"The model is not one that LiteRT can run: {error}") from error
    names = document.get("labels", list(range(10)))
    if not isinstance(names, list) or found.outputs != (len(names),):
        raise ValueError(
            f"The model answers in the shape {found.outputs}, which does not fit the labels"
            f" {names}."
        )
    return found, names


def compiled_content(document):
    """What the base64 text holds, which must be a LiteRT file."""
    text = document.get("litert")
    if text is None:
        raise ValueError(
            "The model has no field 'litert', the network compiled for LiteRT: it was saved by an"
            " older model_building.yaml, or could not be compiled. Run model_building.yaml again."
        )
    if not isinstance(text, str):
        raise ValueError(f"The field 'litert' must be a base64 text, not {described(text)}.")
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"The field 'litert' is not proper base64: {error}.") from None
    if content[4:8] != b"TFL3":
        raise ValueError(
            f"The field 'litert' holds no LiteRT model: its {len(content):,} bytes have no mark"
            " TFL3."
        )
    return content


@contextlib.contextmanager
def quiet():
    """LiteRT tells of its start on the error stream; not to us."""
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
    global network, labels
    if brings_model(row):
        network, labels = load(row)
        return slt.get_drop_doc()
    check_order(row)
    probabilities = network.run_one(network_input(row["image"])[None])[0]
    best = int(probabilities.argmax())
    return {"pred": labels[best], "conf": float(probabilities[best]), **others(row)}


def snaplogic_process_batch(rows):
    """The same for many rows. What it raises does not matter: then they come one by one."""
    if any(map(brings_model, rows)):
        return [snaplogic_process(row) for row in rows]
    for row in rows:
        check_order(row)
    probabilities = network.run(np.stack([network_input(row["image"]) for row in rows]))
    best, conf = probabilities.argmax(axis=1).tolist(), probabilities.max(axis=1).tolist()
    return [
        {"pred": labels[best[at]], "conf": conf[at], **others(row)} for at, row in enumerate(rows)
    ]


def check_order(row):
    if "image" not in row:
        fields = ", ".join(map(repr, row)) or "nothing"
        raise ValueError(
            "A document must have an 'image' (a sample) or a 'litert' (the model, as"
            f" model_building.yaml saves it); this one has {fields}."
        )
    if network is None:
        raise ValueError(
            "The sample came before the model, so it stays without an answer. The model is a"
            " document with the field 'litert'; model_building.yaml saves one."
        )
