"""`engine format` writes files, and says which."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.cli import main

UNTIDY = "snaps:\n    a: {snap: Copy}\n"
TIDY = "snaps:\n  a: {snap: Copy}\n"


def test_files_in_a_folder_are_formatted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "a.yaml").write_text(UNTIDY)
    (tmp_path / "b.yaml").write_text(TIDY)
    (tmp_path / "other.yaml").write_text("services:\n    web: {}\n")
    assert main(["format", str(tmp_path)]) == 0
    assert capsys.readouterr().out == f"{tmp_path / 'a.yaml'}: formatted\n"
    assert (tmp_path / "a.yaml").read_text() == TIDY
    assert (tmp_path / "other.yaml").read_text() == "services:\n    web: {}\n"


def test_a_check_writes_nothing_and_fails(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_text(UNTIDY)
    assert main(["format", "--check", str(file)]) == 1
    assert capsys.readouterr().out == f"{file}: would be formatted\n"
    assert file.read_text() == UNTIDY
    file.write_text(TIDY)
    assert main(["format", "--check", str(file)]) == 0


def test_line_breaks_of_windows_stay(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(UNTIDY.replace("\n", "\r\n").encode())
    assert main(["format", str(file)]) == 0
    assert file.read_bytes() == TIDY.replace("\n", "\r\n").encode()


def test_a_file_with_mistakes_in_its_yaml_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken, fine = tmp_path / "a.yaml", tmp_path / "b.yaml"
    broken.write_text("snaps:\n    a: {snap: Copy\n")
    fine.write_text(UNTIDY)
    assert main(["format", str(broken), str(fine)]) == 2
    assert f"{broken}: not formatted: {broken}:2:8: " in capsys.readouterr().err
    assert broken.read_text() == "snaps:\n    a: {snap: Copy\n"
    assert fine.read_text() == TIDY


def test_a_file_that_is_not_text_is_left_as_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "a.yaml"
    file.write_bytes(b"snaps: {a\xff: 1}\n")
    assert main(["format", str(file)]) == 2
    assert "not formatted: it is not UTF-8 text" in capsys.readouterr().err
