"""Damaged environments, and interrupted installations, are recognised and mended."""

from __future__ import annotations

import json
import shutil
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.sdk.scripts import ScriptFailure
from tests.script.conftest import Opened
from tests.script.environments import ENSURE, folder_of, run

pytestmark = pytest.mark.usefixtures("wheels")


def cut(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def put_a_file_in_its_place(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("not a folder")


def put_a_dangling_link_in_its_place(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to(folder.with_name("nowhere"))


def replace_its_python(folder: Path) -> None:
    python = folder / "bin" / "python"
    python.unlink()
    python.write_text("not a program")


@pytest.mark.parametrize(
    ("harm", "reason"),
    [
        (lambda folder: cut(folder / "pyvenv.cfg"), "its pyvenv.cfg is missing or incomplete"),
        (lambda folder: (folder / "pyvenv.cfg").unlink(), "its pyvenv.cfg is missing"),
        (lambda folder: (folder / "bin" / "python").unlink(), "its Python is missing"),
        (
            lambda folder: (folder / "snapline-installing.json").write_text('["aba'),
            "its record of an interrupted installation is broken",
        ),
        (
            lambda folder: next(folder.glob("lib/*/site-packages/abacus.py")).unlink(),
            "abacus.py of abacus 2.0 is missing or incomplete",
        ),
        (
            lambda folder: cut(next(folder.glob("lib/*/site-packages/abacus.py"))),
            "abacus.py of abacus 2.0 is missing or incomplete",
        ),
        (
            lambda folder: next(folder.glob("lib/*/site-packages/*/RECORD")).unlink(),
            "the list of files of abacus 2.0 is missing",
        ),
        (replace_its_python, "its Python is missing"),
        (lambda folder: shutil.rmtree(folder / "lib"), "its folder of libraries is missing"),
        (put_a_file_in_its_place, "its Python is missing"),
        (put_a_dangling_link_in_its_place, "its Python is missing"),
        (lambda folder: (folder / "snapline-requirements.json").write_text("["), ""),
        (lambda folder: (folder / "snapline-requirements.json").write_text("null"), ""),
    ],
)
def test_a_damaged_environment_is_rebuilt_with_a_notice(
    opened: Opened, wheels: Path, harm: Any, reason: str
) -> None:
    facts: dict[str, Any] = {"requirements": ("abacus==2.0",), "owner": "one"}
    source = "import abacus\ndef snaplogic_init():\n    return {'version': abacus.version}\n"
    opened(source, **facts).start()
    harm(folder_of(wheels, **facts))
    opened.lines.clear()
    assert opened(source, **facts).start() == [{"version": "2.0"}]
    said = [line for line in opened.lines if "rebuilding it" in line]
    assert bool(said) == bool(reason)
    assert all(reason in line for line in said)
    opened.lines.clear()
    assert opened(source, **facts).start() == [{"version": "2.0"}]
    assert opened.lines == []


def test_a_library_that_was_deleted_as_a_whole_is_installed_again(
    opened: Opened, wheels: Path
) -> None:
    facts: dict[str, Any] = {"requirements": ("abacus>1",), "owner": "one"}
    source = "import abacus\ndef snaplogic_init():\n    return {'version': abacus.version}\n"
    opened(source, **facts).start()
    [libraries] = folder_of(wheels, **facts).glob("lib/*/site-packages")
    shutil.rmtree(libraries)
    libraries.mkdir()
    assert opened(source, **facts).start() == [{"version": "2.0"}]


@pytest.mark.parametrize("held", ['{"one": null}', '{"one": [1]}', "[1]", '{"two": 5}'])
def test_a_damaged_list_of_needs_is_passed_over(held: str, opened: Opened, wheels: Path) -> None:
    facts: dict[str, Any] = {"environment": "both", "owner": "one"}
    run(opened, "'abacus', '2.0'", **facts)
    (folder_of(wheels, **facts) / "snapline-needs.json").write_text(held)
    assert run(opened, "'abacus', '2.0'", **facts)["version"] == "2.0"


def test_an_interrupted_installation_is_repeated(opened: Opened, wheels: Path) -> None:
    run(opened, "'abacus'")
    environment = folder_of(wheels)
    (environment / "snapline-installing.json").write_text(json.dumps(["abacus==2.0"]))
    [module] = environment.glob("lib/*/site-packages/abacus.py")
    module.unlink()
    assert run(opened, "'abacus'") == {"version": "2.0", "quiet": True}
    assert any("interrupted; retrying it" in line for line in opened.lines)


def test_an_installation_can_be_stopped_and_is_repeated(
    opened: Opened, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = threading.Event()
    caught: list[str] = []

    def start() -> None:
        try:
            session.start()
        except ScriptFailure as error:
            caught.append(str(error))

    with socket.create_server(("127.0.0.1", 0)) as silent, monkeypatch.context() as patch:
        patch.delenv("PIP_NO_INDEX")
        patch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{silent.getsockname()[1]}/simple")
        session = opened(ENSURE.format(arguments="'abacus'"), output=lambda line: begun.set())
        thread = threading.Thread(target=start)
        thread.start()
        assert begun.wait(240)
        session.interrupt()
        thread.join(240)
    assert caught == ["scripts/x.py was interrupted"]
    session.close()
    assert run(opened, "'abacus'") == {"version": "2.0", "quiet": True}
    assert any("interrupted; retrying it" in line for line in opened.lines)


def test_an_environment_without_its_python_is_rebuilt(opened: Opened, wheels: Path) -> None:
    run(opened, "'abacus'")
    for python in (folder_of(wheels) / "bin").iterdir():
        python.unlink()
    assert run(opened, "'abacus'")["version"] == "2.0"
