"""Today's TensorFlow with the interface of TensorFlow 1, as `tensorflow` itself."""

from __future__ import annotations

import contextlib
import importlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

_KEPT = frozenset(("compat", "keras"))
"""Names that stay as they are; `keras` would load Keras 3."""


def mend(tensorflow: ModuleType) -> None:
    """Write the version 1 names into the module, in place, as its submodules must stay importable.

    Must happen before any operation is made, so right after the import.
    """
    first: Any = tensorflow.compat.v1
    first.logging.set_verbosity(first.logging.ERROR)
    first.disable_v2_behavior()
    for name in dir(first):
        if not name.startswith("_") and name not in _KEPT:
            setattr(tensorflow, name, getattr(first, name))
    _restore_what_keras_uses(first)


def _restore_what_keras_uses(first: Any) -> None:
    """The two private names that Keras 2.2 takes from the inside of TensorFlow."""
    operations: Any = importlib.import_module("tensorflow.python.framework.ops")
    if not hasattr(operations, "_TensorLike"):
        operations._TensorLike = ()
    control_flow: Any = importlib.import_module("tensorflow.python.ops.control_flow_ops")
    control_flow.while_loop = first.while_loop


@contextlib.contextmanager
def quiet_import() -> Iterator[None]:
    """Without the lines that TensorFlow's libraries write before their log level is set."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    sys.stderr.flush()
    kept = os.dup(2)
    try:
        with Path(os.devnull).open("w") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
