"""Which libraries are old, and what they need from today's package index."""

from __future__ import annotations

import platform
import re
import sys
from pathlib import Path

FIRST_MODERN = {"keras": (2, 4), "tensorflow": (2,), "tensorflow-cpu": (2,), "tensorflow-gpu": (2,)}
"""The first version of a library that is not old."""

TENSORFLOW = ">=2.15,<2.22"
"""The versions of TensorFlow whose version 1 interface Keras 2.2 has been tried on."""

BESIDE_KERAS = ("scipy", "pyyaml", "six", "h5py")
"""What Keras 2.2 imports."""

HELPERS_OF_KERAS = ("keras-applications==1.0.8", "keras-preprocessing==1.1.2")
"""What Keras 2.2 was split into; its later versions want parts of Keras 3."""


def is_old(name: str, version: str | None) -> bool:
    """Whether a script that asks for this gets the old library; `name` is canonical."""
    first = FIRST_MODERN.get(name)
    return first is not None and version is not None and numbers(version) < first


def numbers(version: str) -> tuple[int, ...]:
    """The first three numbers of a version, without a local part."""
    return tuple(int(part) for part in re.findall(r"\d+", version.partition("+")[0])[:3])


def tensorflow_requirement() -> str:
    """Today's TensorFlow; on Linux for Intel the build without CUDA, which is a third smaller."""
    is_intel_linux = sys.platform == "linux" and platform.machine() == "x86_64"
    return f"{'tensorflow-cpu' if is_intel_linux else 'tensorflow'}{TENSORFLOW}"


def keras_folder(version: str) -> Path:
    """Where an old Keras is kept: aside, as the environment may also hold a new one."""
    return Path(sys.prefix) / f"keras-{version}"
