"""Environments of scripts, requirements and SLTool.ensure."""

from __future__ import annotations

import importlib.util
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest

from engine.errors import ConfigurationError
from engine.sdk.scripts import ScriptFailure
from tests.script.conftest import Opened
from tests.script.environments import ENSURE, folder_of, run
from tests.script.wheels import make_wheel

pytestmark = pytest.mark.usefixtures("wheels")


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
    make_wheel(wheels, "scipy", "1.99.0")
    session = opened("""
        from snaplogic.tool import SLTool as slt
        slt.ensure("scipy", "1.1.0")
        slt.ensure("scipy", "1.1.0")
        import scipy
        print(scipy.version)
    """)
    session.start()
    warnings = [line for line in opened.lines if line.startswith("warning")]
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    start = f"warning: scipy 1.1.0 has no build for Python {python}; using "
    assert warnings == [start + "a newer version instead", start + "1.99.0 instead"]
    assert opened.lines[-1] == "1.99.0"


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


@pytest.mark.parametrize("name", ["../x", "a/b", ".", "x" * 80])
def test_an_invalid_folder_name_is_refused(opened: Opened, name: str) -> None:
    with pytest.raises(ConfigurationError, match="not a valid name for a script environment"):
        opened("", environment=name).start()


def test_installing_is_not_held_against_the_time_limit(opened: Opened) -> None:
    assert run(opened, "'abacus'", timeout=1.0)["version"] == "2.0"


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
