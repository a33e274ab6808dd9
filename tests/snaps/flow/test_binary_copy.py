from __future__ import annotations

from pathlib import Path
from typing import Any

from engine import api


def test_every_output_gets_every_stream(run_snap: Any, stream: Any) -> None:
    given = [*stream(b"one", b"two", name="a"), *stream(name="b"), *stream(*[b"x" * 1000] * 200)]
    outputs = run_snap("BinaryCopy", {}, given, outputs=["output0", "output1", "output2"]).outputs
    assert outputs == {"output0": given, "output1": given, "output2": given}


def test_a_file_larger_than_any_buffer_is_written_twice(tmp_path: Path) -> None:
    data = bytes(range(256)) * 20_000
    (tmp_path / "in.bin").write_bytes(data)
    (tmp_path / "p.yaml").write_text(
        "snaps:\n  read: {snap: FileReader, file: in.bin}\n  copy: {snap: BinaryCopy}\n"
        "  one: {snap: FileWriter, file: one.bin}\n  two: {snap: FileWriter, file: two.bin}\n"
        "links: [read -> copy -> one, copy -> two]\n"
    )
    api.run(tmp_path / "p.yaml")
    assert (tmp_path / "one.bin").read_bytes() == data
    assert (tmp_path / "two.bin").read_bytes() == data
