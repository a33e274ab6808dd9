"""Writing files: appends, leftovers of dead writers, two writers, retries."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from engine import api
from engine.errors import EngineError, InvalidPipelineError, SnapFailedError

APPENDING = """
snaps:
  numbers: {snap: JSONGenerator, documents: %s}
  format: {snap: JSONFormatter, format_each_document: true, json_lines: true}
  write: {snap: FileWriter, file: log.jsonl, file_action: append}
links: [numbers -> format -> write]
"""


@pytest.fixture
def syncs(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The descriptors that were synced to the disk."""
    seen: list[int] = []
    monkeypatch.setattr(os, "fsync", seen.append)
    return seen


def test_many_small_streams_are_appended_and_brought_to_the_disk_together(
    tmp_path: Path, syncs: list[int]
) -> None:
    numbers = [{"n": n} for n in range(500)]
    (tmp_path / "p.yaml").write_text(APPENDING % json.dumps(numbers))
    report = api.run(tmp_path / "p.yaml")
    lines = (tmp_path / "log.jsonl").read_text().splitlines()
    assert list(map(json.loads, lines)) == numbers
    assert len(report.outputs["write.output"]) == 500
    assert 1 <= len(syncs) < 100  # one for each stream would be 500


def test_an_appended_file_is_brought_to_the_disk_at_the_end(
    tmp_path: Path, syncs: list[int]
) -> None:
    (tmp_path / "p.yaml").write_text(APPENDING % '[{"n": 1}]')
    api.run(tmp_path / "p.yaml")
    assert len(syncs) == 1


def test_a_disk_that_fails_at_the_end_fails_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(descriptor: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fails)
    (tmp_path / "p.yaml").write_text(APPENDING % '[{"n": 1}]')
    with pytest.raises(EngineError, match=r"cannot write the file .*log\.jsonl.*Input/output"):
        api.run(tmp_path / "p.yaml")


# Leftovers of dead writers

WRITING = """
snaps:
  read: {snap: FileReader, file: gate}
  write: {snap: FileWriter, file: out/%s}
links: [read -> write]
"""


def hidden_files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir() if path.name.endswith(".part"))


@pytest.fixture
def writer(tmp_path: Path) -> Any:
    """Starts an engine that has written half of a file, and continues when the gate closes."""
    started: list[tuple[subprocess.Popen[bytes], Any]] = []
    (tmp_path / "out").mkdir()
    os.mkfifo(tmp_path / "gate")

    def start(name: str = "a.txt") -> tuple[subprocess.Popen[bytes], Any]:
        (tmp_path / f"{name}.yaml").write_text(WRITING % name)
        before = hidden_files(tmp_path / "out")
        process = subprocess.Popen(
            [sys.executable, "-m", "engine", "run", f"{name}.yaml"], cwd=tmp_path
        )
        gate = (tmp_path / "gate").open("wb", buffering=0)
        gate.write(b"half")
        started.append((process, gate))
        while hidden_files(tmp_path / "out") == before:
            assert process.poll() is None
        return process, gate

    yield start
    for process, gate in started:
        process.kill()
        process.wait()
        gate.close()


def write_beside(folder: Path) -> None:
    (folder / "beside.yaml").write_text(
        "snaps:\n  one: {snap: JSONGenerator, documents: [{a: 1}]}\n"
        "  format: {snap: JSONFormatter}\n"
        "  write: {snap: FileWriter, file: out/b.txt}\nlinks: [one -> format -> write]\n"
    )
    api.run(folder / "beside.yaml")


NAMED = """
snaps:
  make: {snap: JSONGenerator, documents: [{name: a.json}, {name: b.json}]}
  format: {snap: JSONFormatter, format_each_document: true, header: %s}
  write: {snap: FileWriter, file: = $name}
links: [make -> format -> write]
"""


def test_a_name_from_the_document_says_how_to_pass_it_to_the_writer(tmp_path: Path) -> None:
    (tmp_path / "p.yaml").write_text(NAMED % "{}")
    says = (
        r"`\$name` is not in the document\n  \$name\n  \^+\n  hint: the name is computed from the "
        r"header of the stream, which has 'content-type'; let the formatter add what you need, as "
        r"in header: \{\$name: \$name\}"
    )
    with pytest.raises(SnapFailedError, match=says):
        api.run(tmp_path / "p.yaml")
    (tmp_path / "p.yaml").write_text(NAMED % "{$name: $name}")
    api.run(tmp_path / "p.yaml")
    assert sorted(file.name for file in tmp_path.glob("*.json")) == ["a.json", "b.json"]


def test_the_hidden_file_of_a_killed_writer_is_removed_by_the_next(
    tmp_path: Path, writer: Any
) -> None:
    process, _ = writer()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert len(hidden_files(tmp_path / "out")) == 1
    write_beside(tmp_path)
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["b.txt"]


def test_the_hidden_file_of_a_living_writer_stays(tmp_path: Path, writer: Any) -> None:
    process, gate = writer()
    write_beside(tmp_path)
    assert len(hidden_files(tmp_path / "out")) == 1
    gate.write(b" and half")
    gate.close()
    assert process.wait(240) == 0
    assert (tmp_path / "out" / "a.txt").read_text() == "half and half"
    assert hidden_files(tmp_path / "out") == []


def test_hidden_files_of_other_machines_and_of_others_stay(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    others = [".a.txt.ffffff-01234567.part", ".mine.part", "a.part", ".swp", ".a.0123.part"]
    for name in others:
        (tmp_path / "out" / name).touch()
    write_beside(tmp_path)
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([*others, "b.txt"])


def test_a_hidden_file_of_another_machine_is_removed_after_a_day(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    old = tmp_path / "out" / ".a.txt.ffffff-01234567.part"
    old.touch()
    os.utime(old, (0, 0))
    write_beside(tmp_path)
    assert hidden_files(tmp_path / "out") == []


def test_a_link_that_looks_like_a_hidden_file_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "precious").write_text("x")
    link = tmp_path / "out" / ".a.txt.ffffff-01234567.part"
    link.symlink_to(tmp_path / "precious")
    os.utime(tmp_path / "precious", (0, 0))
    write_beside(tmp_path)
    assert (tmp_path / "precious").read_text() == "x"


def test_a_name_of_many_bytes_can_be_written(run_snap: Any, stream: Any, tmp_path: Path) -> None:
    name = "é" * 120
    run_snap("FileWriter", {"file": name}, stream(b"x"))
    assert [path.name for path in tmp_path.iterdir()] == [name]


# Two writers of one file

TWO = """
parameters: {day: mon}
snaps:
  one: {snap: JSONGenerator, documents: [{name: a.json}]}
  two: {snap: JSONGenerator, documents: [{name: a.json}]}
  make_one: {snap: Mapper, mappings: {$content: "'1'", $name: $name}}
  make_two: {snap: Mapper, mappings: {$content: "'2'", $name: $name}}
  bytes_one: {snap: DocumentToBinary}
  bytes_two: {snap: DocumentToBinary}
  write_one: {snap: FileWriter, %s}
  write_two: {snap: FileWriter, %s}
links:
  - one -> make_one -> bytes_one -> write_one
  - two -> make_two -> bytes_two -> write_two
"""


def run_two(folder: Path, one: str, two: str) -> Any:
    (folder / "p.yaml").write_text(TWO % (one, two))
    return api.run(folder / "p.yaml")


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("file: a.json", "file: a.json"),
        ("file: a.json", "file: ./x/../a.json"),
        ("file: a.json", "file: sldb:///a.json"),
        ("file: SLDB:///a.json", "file: sldb:/a.json"),
        ("file: = _day + '.json'", "file: = _day + '.json'"),
        ("file: a.json, file_action: append", "file: a.json"),
        ("file: a.json, file_action: error", "file: a.json, file_action: error"),
        ("file: memory://two/a", "file: memory://two/a"),
        ("file: a.json", "file: link.json"),
    ],
)
def test_two_writers_of_one_name_are_a_mistake(tmp_path: Path, one: str, two: str) -> None:
    (tmp_path / "link.json").symlink_to("a.json")
    with pytest.raises(
        InvalidPipelineError, match="written-twice  the snap 'write_one' also writes"
    ):
        run_two(tmp_path, one, two)
    assert not (tmp_path / "a.json").exists()


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("file: = $name", "file: = $name"),
        ("file: a.json", "file: = $name"),
        ("file: = 'a' + '.json'", "file: link.json"),
        ("file: a.json, file_action: append", "file: = $name"),
    ],
)
def test_the_second_of_two_writers_to_one_file_fails(tmp_path: Path, one: str, two: str) -> None:
    (tmp_path / "link.json").symlink_to("a.json")
    with pytest.raises(EngineError, match=r"the snap 'write_(one|two)' writes it in the same run"):
        run_two(tmp_path, one, two)


@pytest.mark.parametrize("name", ["snap.label", "Math.random()"])
def test_the_same_expression_may_name_two_files(tmp_path: Path, name: str) -> None:
    setting = f"file: = 'out-' + {name} + '.json'"
    run_two(tmp_path, setting, setting)
    assert sorted(file.read_text() for file in tmp_path.glob("out-*.json")) == ["1", "2"]


def test_two_writers_that_append_share_a_file(tmp_path: Path) -> None:
    append = "file: a.json, file_action: append"
    run_two(tmp_path, append, append)
    assert sorted((tmp_path / "a.json").read_text()) == ["1", "2"]


def test_a_disabled_writer_does_not_count(tmp_path: Path) -> None:
    run_two(tmp_path, "file: a.json", "file: a.json, mode: disabled")
    assert (tmp_path / "a.json").read_text() == "1"


def test_one_writer_may_write_a_file_again(run_snap: Any, stream: Any, tmp_path: Path) -> None:
    run_snap("FileWriter", {"file": "a"}, stream(b"1") + stream(b"2"))
    assert (tmp_path / "a").read_bytes() == b"2"


# Retries and validation


def failing(times: int, monkeypatch: pytest.MonkeyPatch, what: str = "fsync") -> list[int]:
    """Make the first calls of `os.<what>` fail; the list counts them."""
    calls: list[int] = []
    original = getattr(os, what)

    def fails(*arguments: Any, **options: Any) -> Any:
        calls.append(1)
        if len(calls) <= times:
            raise OSError(5, "Input/output error")
        return original(*arguments, **options)

    monkeypatch.setattr(os, what, fails)
    return calls


def test_a_file_is_written_again_until_it_succeeds(
    run_snap: Any, stream: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = failing(2, monkeypatch)
    settings = {"file": "a.txt", "retries": 2, "retry_interval": 0, "validate": True}
    result = run_snap("FileWriter", settings, stream(b"one ", b"two"))
    assert result.output[0]["result"] == "created"
    assert (tmp_path / "a.txt").read_bytes() == b"one two"
    assert [path.name for path in tmp_path.iterdir()] == ["a.txt"]
    assert len(calls) == 3


@pytest.mark.parametrize("retries", [0, 1])
def test_a_file_that_cannot_be_written_at_any_try_fails_its_stream(
    run_snap: Any, stream: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, retries: int
) -> None:
    calls = failing(9, monkeypatch)
    settings = {"file": "a.txt", "retries": retries, "retry_interval": 0}
    result = run_snap("FileWriter", settings, stream(b"x"), on_error="route")
    assert (len(result.errors), len(calls)) == (1, retries + 1)
    assert list(tmp_path.iterdir()) == []


def test_retries_wait_for_a_folder_that_comes(
    run_snap: Any, stream: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from threading import Event

    def make_the_folder(*_: Any) -> bool:
        (tmp_path / "new").mkdir()
        return False

    monkeypatch.setattr(Event, "wait", make_the_folder)
    settings = {"file": "new/a.txt", "retries": 1, "retry_interval": 60}
    run_snap("FileWriter", settings, stream(b"x"))
    assert (tmp_path / "new" / "a.txt").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("settings", "message"),
    [({"retries": -1}, "retries|tries"), ({"retry_interval": -1}, "seconds|retry_interval")],
)
def test_invalid_retries_are_refused(
    run_snap: Any, stream: Any, settings: Any, message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        run_snap("FileWriter", {"file": "a", **settings}, stream(b"x"))


@pytest.mark.parametrize("action", ["overwrite", "append"])
def test_a_file_that_lost_bytes_fails_its_stream_if_validated(
    run_snap: Any, stream: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, action: str
) -> None:
    from engine.run.files import ProjectFiles

    (tmp_path / "a.txt").write_bytes(b"old")
    sizes = iter([3, 4])
    monkeypatch.setattr(ProjectFiles, "size", lambda *_, **__: next(sizes))
    settings = {"file": "a.txt", "file_action": action, "validate": True}
    result = run_snap("FileWriter", settings, stream(b"12345"), on_error="route")
    assert "it has 4 bytes" in result.errors[0]["reason"]


@pytest.mark.parametrize("action", ["overwrite", "append"])
def test_a_file_as_it_was_written_is_valid(
    run_snap: Any, stream: Any, tmp_path: Path, action: str
) -> None:
    (tmp_path / "a.txt").write_bytes(b"old")
    settings = {"file": "a.txt", "file_action": action, "validate": True}
    assert run_snap("FileWriter", settings, stream(b"12345")).output[0]["result"] != "ignored"


def test_retries_may_be_expressions(
    run_snap: Any, stream: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(2, monkeypatch)
    settings = {"file": "a.txt", "retries": "= parseInt(_n)", "retry_interval": "= $wait"}
    result = run_snap("FileWriter", settings, stream(b"x", wait=0), parameters={"n": "2"})
    assert result.output[0]["result"] == "created"


def test_invalid_retries_from_an_expression_fail_their_stream(run_snap: Any, stream: Any) -> None:
    settings = {"file": "a.txt", "retries": "= $n"}
    result = run_snap("FileWriter", settings, stream(b"x", n=-1), on_error="route")
    assert result.errors[0]["reason"] == "retries must be 0 or more, got -1"
