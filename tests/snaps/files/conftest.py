"""S3 for tests: a file system in memory stands in for s3fs, and remembers its options."""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any, ClassVar

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem


class MemoryS3(MemoryFileSystem):  # type: ignore[misc]  # fsspec has no types
    """Buckets in memory. `opened` are the options with which it was opened."""

    protocol = ("s3",)
    store: ClassVar[dict[str, Any]] = {}
    pseudo_dirs: ClassVar[list[str]] = [""]
    opened: ClassVar[list[dict[str, Any]]] = []
    cachable = False

    def __init__(self, **options: Any) -> None:
        super().__init__()
        options.pop("skip_instance_cache", None)
        self.opened.append(options)

    @classmethod
    def _strip_protocol(cls, path: str) -> str:
        stripped = path.removeprefix("s3://").strip("/")
        return f"/{stripped}" if stripped else ""

    def unstrip_protocol(self, name: str) -> str:
        return f"s3://{name.strip('/')}"


@pytest.fixture
def s3() -> Iterator[MemoryS3]:
    fsspec.register_implementation("s3", MemoryS3, clobber=True)
    MemoryS3.store.clear()
    MemoryS3.pseudo_dirs[:] = [""]
    MemoryS3.opened.clear()
    yield MemoryS3()
    import_module("fsspec.registry")._registry.pop("s3")
