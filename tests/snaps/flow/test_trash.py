from __future__ import annotations

from typing import Any


def test_documents_end_here(run_snap: Any) -> None:
    run = run_snap("Trash", {}, [{"n": n} for n in range(100)])
    assert (run.outputs, run.dropped) == ({}, 100)


def test_binary_streams_end_here(run_snap: Any, stream: Any) -> None:
    given = [*stream(b"one", b"two"), *stream(b"three"), *stream()]
    run = run_snap("Trash", {"input_type": "binary"}, given)
    assert (run.outputs, run.dropped) == ({}, 3)
