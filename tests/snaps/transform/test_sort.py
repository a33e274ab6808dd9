from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.errors import InvalidPipelineError, SnapFailedError

BY_A = {"sort_paths": ["$a"]}


def letters(documents: list[dict[str, Any]]) -> str:
    return "".join(document["id"] for document in documents)


@pytest.mark.parametrize(("order", "expected"), [("ascending", "bdac"), ("descending", "acbd")])
def test_equal_documents_keep_their_order_in_both_directions(
    run_snap: Any, order: str, expected: str
) -> None:
    given = [{"a": 2, "id": "a"}, {"a": 1, "id": "b"}, {"a": 2, "id": "c"}, {"a": 1, "id": "d"}]
    assert letters(run_snap("Sort", {**BY_A, "sort_order": order}, given).output) == expected


def test_each_path_may_have_its_own_direction(run_snap: Any) -> None:
    paths = [
        {"path": "$a", "order": "descending"},
        {"path": "$b.c"},
        {"path": "$['d e']", "order": "ascending"},
    ]
    given = [
        {"id": "1", "a": 1, "b": {"c": 1}, "d e": 1},
        {"id": "2", "a": 2, "b": {"c": 1}, "d e": 2},
        {"id": "3", "a": 2, "b": {"c": 1}, "d e": 1},
        {"id": "4", "a": 2, "b": {"c": 2}, "d e": 1},
    ]
    settings = {"sort_paths": paths, "sort_order": "descending"}
    assert letters(run_snap("Sort", settings, given).output) == "4321"


@pytest.mark.parametrize(
    ("null_greater", "order", "expected"),
    [
        (False, "ascending", [None, 1, 2]),
        (False, "descending", [2, 1, None]),
        (True, "ascending", [1, 2, None]),
        (True, "descending", [None, 2, 1]),
    ],
)
def test_null_is_least_unless_it_is_said_to_be_greater(
    run_snap: Any, null_greater: bool, order: str, expected: list[Any]
) -> None:
    settings = {**BY_A, "sort_order": order, "null_greater": null_greater}
    output = run_snap("Sort", settings, [{"a": 2}, {"a": None}, {"a": 1}]).output
    assert [document["a"] for document in output] == expected


def test_numbers_are_ordered_by_value_and_leave_as_they_came(run_snap: Any) -> None:
    given = [{"a": Decimal("10.50")}, {"a": 9}, {"a": 0.1}, {"a": Decimal("0.09")}, {"a": 10**20}]
    output = run_snap("Sort", BY_A, given, exact=True).output
    assert [str(document["a"]) for document in output] == [
        "0.09", "0.1", "9", "10.50", "1" + "0" * 20
    ]  # fmt: skip


def test_strings_are_ordered_by_their_utf_16_units(run_snap: Any) -> None:
    words = ["a", "Z", "10", "9", "\U0001f600", "\ufffd", ""]
    output = run_snap("Sort", BY_A, [{"a": word} for word in words]).output
    assert [each["a"] for each in output] == ["", "10", "9", "Z", "a", "\U0001f600", "\ufffd"]


def test_a_missing_path_fails_its_document_if_access_is_not_null_safe(run_snap: Any) -> None:
    settings = {**BY_A, "null_safe_access": False}
    given = [{"a": 2}, {"b": 1}, {"a": 1}]
    result = run_snap("Sort", settings, given, on_error="route")
    assert result.output == [{"a": 1}, {"a": 2}]
    assert [error["original"] for error in result.errors] == [{"b": 1}]
    with pytest.raises(SnapFailedError, match=r"(?s)on document 2.*finds nothing"):
        run_snap("Sort", settings, given)


def test_no_documents_give_no_documents(run_snap: Any) -> None:
    assert run_snap("Sort", BY_A, []).output == []


@pytest.mark.parametrize("order", ["ascending", "descending"])
def test_more_than_the_memory_gives_the_same_as_in_memory(run_snap: Any, order: str) -> None:
    settings = {"sort_paths": ["$a", "$b"], "sort_order": order}
    given = [{"a": number % 17, "b": str(number * 7 % 31), "n": number} for number in range(3000)]
    spilled = run_snap("Sort", {**settings, "memory": "50 kB"}, given)
    assert spilled.output == run_snap("Sort", settings, given).output
    assert spilled.statistics.documents_out == 3000


@pytest.mark.parametrize("memory", ["lots", 0])
def test_a_wrong_size_of_memory_is_found_when_checking(run_snap: Any, memory: Any) -> None:
    with pytest.raises(InvalidPipelineError, match=r"is not a size|is out of range"):
        run_snap("Sort", {**BY_A, "memory": memory}, [])


def test_sorting_by_nothing_is_a_mistake(run_snap: Any) -> None:
    with pytest.raises(InvalidPipelineError, match="there is nothing to sort by"):
        run_snap("Sort", {"sort_paths": []}, [])


def test_a_full_disk_is_a_clear_error(run_snap: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: Any) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(SnapFailedError, match="No space left on device; free space in"):
        run_snap("Sort", {**BY_A, "memory": 1}, [{"a": 1}])


KILLED_WHILE_SORTING = """
import os, signal
from engine.testing import run_snap

def write(file, data, offset, pwrite=os.pwrite):
    pwrite(file, data, offset)
    os.kill(os.getpid(), signal.SIGKILL)

os.pwrite = write
run_snap("Sort", {"sort_paths": ["$a"], "memory": 1}, [{"a": 1}])
"""


def test_no_file_remains_when_the_process_is_killed(tmp_path: Path) -> None:
    ended = subprocess.run(
        [sys.executable, "-c", KILLED_WHILE_SORTING],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        timeout=240,
        check=False,
    )
    assert ended.returncode == -signal.SIGKILL
    assert list(tmp_path.iterdir()) == []
