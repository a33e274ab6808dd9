"""Decode a saved network, a `.keras` file as base64, and check it before Keras loads it.

A module of the digit scripts.
"""

import base64
import binascii
import io
import zipfile

from tensorflow_setup import quiet


def file_content(text):
    """The decoded content, which must be a `.keras` file: a zip archive."""
    if not isinstance(text, str):
        raise ValueError(f"The model must be a base64 string, not {described(text)}.")
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"The model is not valid base64: {error}.") from None
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise ValueError(
            f"The model is not a complete .keras file: its {len(content):,} bytes are not a zip"
            " archive."
        )
    return content


def keras_model(path):
    """Load the model in Keras' safe mode, which refuses layers that contain code."""
    with quiet():
        import keras
        import tensorflow  # noqa: F401 - imported here to silence its messages
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"Keras could not load the model: {error}") from error


def described(value):
    kinds = {str: "a string", dict: "an object", bool: "a boolean", type(None): "null"}
    return kinds.get(type(value), f"a {type(value).__name__}")
