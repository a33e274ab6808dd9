"""Processes measured in interleaved rounds, and the medians of what they used."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from benchmarks.memory import peak_mib
from benchmarks.processes import Command, FailedProcessError, Rounds, cpu_seconds

BUSY = "import time\nwhile time.process_time() < 0.2: pass\n"


def python(source: str, stdout: Path | None = None) -> Command:
    arguments = [sys.executable, "-c", source]
    return Command(arguments) if stdout is None else Command(arguments, stdout)


def test_the_figure_of_a_command_is_the_median_of_its_rounds() -> None:
    assert Rounds({"engine": [3.0, 1.0, 8.0]}).median("engine") == 3.0


def test_a_ratio_is_the_median_of_the_ratios_within_each_round() -> None:
    found = Rounds({"loop": [2.0, 20.0, 2.0], "engine": [1.0, 10.0, 4.0]})
    assert found.ratio("loop", "engine") == 2.0


def test_commands_alternate_and_those_that_are_slow_run_once(tmp_path: Path) -> None:
    log = tmp_path / "log"
    write = f"open({str(log)!r}, 'a').write"
    commands = {name: python(f"{write}({name!r})") for name in "abc"}
    found = Rounds.run(commands, 2, once="c")
    assert log.read_text() == "abcab"
    assert {name: len(seconds) for name, seconds in found.seconds.items()} == {
        "a": 2,
        "b": 2,
        "c": 1,
    }


def test_the_time_of_a_child_counts() -> None:
    parent = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {BUSY!r}])"
    assert cpu_seconds(python(parent)) >= 0.2


def test_the_output_goes_to_the_file_of_the_command(tmp_path: Path) -> None:
    cpu_seconds(python("print('done')", tmp_path / "output"))
    assert (tmp_path / "output").read_text() == "done\n"


def test_a_command_that_fails_is_reported_with_what_it_printed() -> None:
    with pytest.raises(FailedProcessError, match=r"exited with code 1\n[^$]*ZeroDivisionError"):
        cpu_seconds(python("1 / 0"))


def test_the_peak_of_a_process_does_not_include_that_of_its_parent() -> None:
    ballast = b"x" * (150 << 20)
    assert peak_mib(python("pass")) < 100
    assert peak_mib(python(f"b'x' * {len(ballast)}")) > 150
