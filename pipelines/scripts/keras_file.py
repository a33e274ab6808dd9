"""A saved network: the `.keras` file in a base64 text, checked before Keras loads it.

A module of the digit scripts.
"""

import base64
import binascii
import io
import zipfile

from tensorflow_setup import quiet


def file_content(text):
    """What the base64 text holds, which must be a `.keras` file: a zip archive."""
    if not isinstance(text, str):
        raise ValueError(f"The model must be a base64 text, not {described(text)}.")
    try:
        content = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise ValueError(f"The model is not proper base64: {error}.") from None
    if not zipfile.is_zipfile(io.BytesIO(content)):
        raise ValueError(
            f"The model is not a whole .keras file: its {len(content):,} bytes are no zip archive."
        )
    return content


def keras_model(path):
    """Keras' safe mode refuses layers that carry code, so a model file cannot run any."""
    with quiet():
        import keras
        import tensorflow  # noqa: F401 - while it is quiet
    try:
        return keras.saving.load_model(path, compile=False, safe_mode=True)
    except (ValueError, TypeError, KeyError, OSError, zipfile.BadZipFile) as error:
        raise ValueError(f"The model is not a .keras file that Keras can load: {error}") from error


def described(value):
    kinds = {str: "a text", dict: "an object", bool: "a truth value", type(None): "nothing"}
    return kinds.get(type(value), f"a {type(value).__name__}")
