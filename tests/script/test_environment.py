"""Environments of scripts, requirements and SLTool.ensure."""

from __future__ import annotations

import importlib.util
import json
import shutil
import socket
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError
from engine.script.environment import name_of
from engine.sdk.scripts import Script, ScriptFailure
from tests.script.conftest import Opened
from tests.script.wheels import make_wheel

ENSURE = """
from snaplogic.tool import SLTool as slt
said = slt.ensure({arguments})
def snaplogic_init():
    import abacus
    return {{"version": abacus.version, "quiet": said == ""}}
"""


@pytest.fixture(autouse=True)
def wheels(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package index that is a folder, and environments of this test's own."""
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("SNAPLINE_CACHE", str(tmp_path / "cache"))
    make_wheel(tmp_path, "abacus", "1.0")
    make_wheel(tmp_path, "abacus", "2.0")
    return tmp_path


def run(opened: Opened, arguments: str, **facts: Any) -> dict[str, Any]:
    session = opened(ENSURE.format(arguments=arguments), **facts)
    [document] = session.start()
    session.close()
    return document


def folder_of(root: Path, **facts: Any) -> Path:
    return (
        root / "cache" / "environments" / name_of(Script("", **{"name": "scripts/x.py", **facts}))
    )


def test_ensure_installs_what_is_missing_and_it_can_be_imported_at_once(opened: Opened) -> None:
    assert run(opened, "'abacus'") == {"version": "2.0", "quiet": False}
    assert opened.lines[0] == "installing abacus ..."
    assert opened.lines[-1].startswith("installed abacus (")


def test_ensure_does_nothing_when_the_library_is_there(opened: Opened) -> None:
    run(opened, "'abacus'")
    opened.lines.clear()
    assert run(opened, "'abacus'") == {"version": "2.0", "quiet": True}
    assert opened.lines == []


def test_ensure_takes_a_version(opened: Opened) -> None:
    assert run(opened, "'abacus', '1.0'")["version"] == "1.0"
    assert run(opened, "'abacus'")["version"] == "1.0"
    assert run(opened, "'abacus', version='2.0'")["version"] == "2.0"


def test_what_is_installed_keeps_to_the_constraints(opened: Opened) -> None:
    pinned = "# tested\nabacus==1.0\n"
    assert run(opened, "'abacus'", constraints=pinned)["version"] == "1.0"
    facts: dict[str, Any] = {"requirements": ("abacus",), "constraints": pinned, "owner": "other"}
    assert run(opened, "'abacus'", **facts) == {"version": "1.0", "quiet": True}


def test_an_environment_follows_constraints_that_change(opened: Opened) -> None:
    facts: dict[str, Any] = {"environment": "kept", "requirements": ("abacus>=1.0",)}
    assert run(opened, "'abacus'", **facts, constraints="abacus==1.0\n")["version"] == "1.0"
    assert run(opened, "'abacus'", **facts, constraints="abacus==2.0\n")["version"] == "2.0"
    assert (
        run(opened, "'abacus'", constraints="Abacus == 1.0", environment="kept")["quiet"] is False
    )


def test_constraints_that_do_not_fit_are_said_to_be_the_reason(opened: Opened) -> None:
    session = opened(ENSURE.format(arguments="'abacus'"), constraints="abacus==3.0\n")
    with pytest.raises(ScriptFailure) as caught:
        session.start()
    assert "the snap names a constraints file" in caught.value.resolution


@pytest.mark.parametrize("arguments", ["'abacus', '2.0.0'", "'abacus==2.0'", "'Abacus'"])
def test_a_library_that_is_there_may_be_named_in_other_ways(opened: Opened, arguments: str) -> None:
    run(opened, "'abacus'")
    assert run(opened, arguments) == {"version": "2.0", "quiet": True}


def test_ensure_updates(opened: Opened) -> None:
    assert run(opened, "'abacus', '1.0'")["version"] == "1.0"
    assert run(opened, "'abacus', update=True")["version"] == "2.0"


def test_ensure_shows_what_pip_prints_when_asked_to(opened: Opened) -> None:
    run(opened, "'abacus', verbose=True")
    assert any("Successfully installed abacus-2.0" in line for line in opened.lines)


def test_ensure_of_a_standard_module_does_nothing(opened: Opened) -> None:
    run(opened, "'abacus'")
    session = opened("from snaplogic.tool import SLTool as slt\nprint(repr(slt.ensure('json')))\n")
    session.start()
    assert opened.lines[-1] == "''"


def test_nothing_is_ever_installed_for_the_engine(opened: Opened) -> None:
    run(opened, "'abacus'")
    assert importlib.util.find_spec("abacus") is None


def test_a_failing_installation_shows_the_last_lines_of_pip(opened: Opened) -> None:
    session = opened(ENSURE.format(arguments="'no-such-library'"))
    with pytest.raises(
        ScriptFailure, match=r"pip could not install no-such-library[^$]*No matching"
    ):
        session.start()


def test_a_failure_to_install_is_reported_with_the_scripts_line(opened: Opened) -> None:
    session = opened(ENSURE.format(arguments="'abacus'"), install="refuse")
    with pytest.raises(ScriptFailure) as caught:
        session.start()
    assert caught.value.reason.startswith("InstallError: abacus is not installed in ")
    assert caught.value.reason.endswith("(scripts/x.py, line 3)")
    assert "set install to 'install'" in caught.value.resolution


def test_the_policy_check_warns_and_goes_on(opened: Opened) -> None:
    session = opened(ENSURE.format(arguments="'abacus'"), install="check")
    with pytest.raises(ScriptFailure, match="No module named 'abacus'"):
        session.start()
    assert opened.lines == [
        "warning: abacus is not installed; continuing without it (install: check)"
    ]


def test_the_policy_refuse_fails(opened: Opened) -> None:
    session = opened(ENSURE.format(arguments="'abacus'"), install="refuse")
    with pytest.raises(ScriptFailure, match=r"abacus is not installed in .* install is 'refuse'"):
        session.start()


def test_a_version_too_old_for_this_python_is_overridden_with_a_warning(
    opened: Opened, wheels: Path
) -> None:
    make_wheel(wheels, "tensorflow", "2.99.0")
    session = opened("""
        from snaplogic.tool import SLTool as slt
        slt.ensure("tensorflow", "1.5.0")
        slt.ensure("tensorflow", "1.5.0")
        import tensorflow
        print(tensorflow.version)
    """)
    session.start()
    warnings = [line for line in opened.lines if line.startswith("warning")]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    start = f"warning: tensorflow 1.5.0 has no build for Python {python}; using "
    assert warnings == [start + "a newer version instead", start + "2.99.0 instead"]
    assert opened.lines[-1] == "2.99.0"


def test_another_build_of_a_library_satisfies(opened: Opened, wheels: Path) -> None:
    make_wheel(wheels, "tensorflow_cpu", "2.99.0")
    session = opened("""
        from snaplogic.tool import SLTool as slt
        slt.ensure("tensorflow-cpu", "2.99.0")
        print(repr(slt.ensure("tensorflow", "2.99.0") + slt.ensure("tensorflow")))
    """)
    session.start()
    assert opened.lines[-1] == "''"


def test_requirements_are_installed_before_the_script_starts(opened: Opened, wheels: Path) -> None:
    make_wheel(wheels, "counter", "1.0", needs="abacus<2")
    source = "import abacus, counter\nprint(abacus.version)\n"
    session = opened(source, requirements=("counter >= 0.5",))
    session.start()
    assert opened.lines[-1] == "1.0"


def test_satisfied_requirements_need_no_pip(
    opened: Opened, wheels: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    requirements = ("abacus>=1",)
    opened("import abacus\n", requirements=requirements).start()
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    opened.lines.clear()
    opened("import abacus\n", requirements=requirements).start()
    assert opened.lines == []


def test_a_requirement_that_cannot_be_installed_stops_the_script(opened: Opened) -> None:
    session = opened("print('never')\n", requirements=("abacus==3.0",))
    with pytest.raises(ScriptFailure, match=r"libraries that scripts/x.py needs[^$]*abacus==3.0"):
        session.start()
    assert "never" not in opened.lines


def test_scripts_share_an_environment_by_name(opened: Opened) -> None:
    run(opened, "'abacus', '1.0'", environment="digits")
    opened.lines.clear()
    assert run(opened, "'abacus'", environment="digits")["version"] == "1.0"
    assert run(opened, "'abacus'", environment="other")["version"] == "2.0"


def test_scripts_of_two_snaps_do_not_share_an_environment(opened: Opened) -> None:
    assert run(opened, "'abacus', '1.0'", owner="one")["version"] == "1.0"
    assert run(opened, "'abacus', '2.0'", owner="two")["version"] == "2.0"
    assert run(opened, "'abacus'", owner="one") == {"version": "1.0", "quiet": True}


@pytest.mark.parametrize("wish", ["'abacus', '2.0'", "'abacus==2.0'"])
def test_scripts_that_share_an_environment_must_need_the_same_version(
    opened: Opened, wish: str
) -> None:
    facts: dict[str, Any] = {"environment": "both", "requirements": ("abacus==1.0",)}
    opened("import abacus\n", owner="a in p.yaml", **facts).start()
    session = opened(ENSURE.format(arguments=wish), owner="b in p.yaml", environment="both")
    with pytest.raises(ScriptFailure) as caught:
        session.start()
    assert (
        "the environment 'both' is shared: a in p.yaml needs abacus 1.0, "
        "and b in p.yaml needs abacus 2.0 (scripts/x.py, line 3)"
    ) in caught.value.reason
    assert run(opened, "'abacus', '1.0.0'", owner="b in p.yaml", environment="both")["quiet"]


def test_what_others_need_binds_an_installation_into_a_shared_environment(
    opened: Opened, wheels: Path
) -> None:
    make_wheel(wheels, "counter", "1.0", needs="abacus>=2")
    opened("", owner="a", environment="both", requirements=("abacus<2",)).start()
    session = opened("", owner="b", environment="both", requirements=("counter",))
    with pytest.raises(ScriptFailure, match="pip could not install counter") as caught:
        session.start()
    assert "other scripts share this environment and need: abacus<2 (a)" in caught.value.resolution
    assert run(opened, "'abacus'", owner="a", environment="both")["version"] == "1.0"


def test_a_script_may_change_its_own_version_in_a_shared_environment(opened: Opened) -> None:
    assert run(opened, "'abacus', '1.0'", owner="a", environment="both")["version"] == "1.0"
    assert run(opened, "'abacus', '2.0'", owner="a", environment="both")["version"] == "2.0"
    assert run(opened, "'abacus', '2.0'", owner="b", environment="both")["quiet"]


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


@pytest.mark.parametrize("name", ["../x", "a/b", ".", "x" * 80])
def test_an_invalid_folder_name_is_refused(opened: Opened, name: str) -> None:
    with pytest.raises(ConfigurationError, match="not a valid name for a script environment"):
        opened("", environment=name).start()


def test_installing_is_not_held_against_the_time_limit(opened: Opened) -> None:
    assert run(opened, "'abacus'", timeout=0.3)["version"] == "2.0"


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
        assert begun.wait(10)
        session.interrupt()
        thread.join(5)
    assert caught == ["scripts/x.py was interrupted"]
    session.close()
    assert run(opened, "'abacus'") == {"version": "2.0", "quiet": True}
    assert any("interrupted; retrying it" in line for line in opened.lines)


def test_an_environment_without_its_python_is_rebuilt(opened: Opened, wheels: Path) -> None:
    run(opened, "'abacus'")
    for python in (folder_of(wheels) / "bin").iterdir():
        python.unlink()
    assert run(opened, "'abacus'")["version"] == "2.0"


def test_two_scripts_that_start_at_once_share_one_installation(opened: Opened) -> None:
    sessions = [opened(ENSURE.format(arguments="'abacus'")) for _ in range(3)]
    found: list[Any] = []
    threads = [
        threading.Thread(target=lambda s=session: found.extend(s.start())) for session in sessions
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [document["version"] for document in found] == ["2.0"] * 3
    assert sum(line.startswith("installed abacus") for line in opened.lines) == 1


def test_a_stray_pip_works_on_the_scripts_environment(opened: Opened, wheels: Path) -> None:
    if shutil.which("pip") is None:
        pytest.skip("there is no pip command")
    session = opened("""
        from snaplogic.tool import SLTool as slt
        slt.execute("pip install abacus")
        import abacus
        print(abacus.__file__)
    """)
    session.start()
    assert opened.lines[-1].startswith(str(folder_of(wheels)))


def test_numpy_values_are_plain_values() -> None:
    numpy = pytest.importorskip("numpy")
    from engine.script.child.results import documents

    row = {
        "scalars": [numpy.float32(0.5), numpy.int64(3), numpy.bool_(True), numpy.str_("x")],
        "image": numpy.zeros((2, 2), dtype="uint8"),
        "objects": numpy.array([{"a": numpy.float64(1.5)}], dtype=object),
        "time": numpy.array(["2026-01-02"], dtype="datetime64[D]"),
        numpy.int64(7): numpy.longdouble(0.25),
    }
    assert documents(row, "f") == {
        "scalars": [0.5, 3, True, "x"],
        "image": [[0, 0], [0, 0]],
        "objects": [{"a": 1.5}],
        "time": ["2026-01-02"],
        "7": 0.25,
    }
    with pytest.raises(TypeError, match="holds a complex"):
        documents({"z": numpy.complex64(1)}, "f")


def test_a_new_environment_has_no_pip(opened: Opened, wheels: Path) -> None:
    opened("print('x')\n").start()
    assert folder_of(wheels).is_dir()
    assert list(folder_of(wheels).rglob("pip*")) == []
