"""Modules that travel with a script: imports, tracebacks, and modules that cannot be loaded."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from engine.script.child.protocol import VERSION, Channel
from engine.sdk.scripts import ScriptError, ScriptFailure, ScriptModule
from tests.script.conftest import Opened
from tests.script.test_remote import TOKEN, Host

HALVES = ScriptModule(
    "halves",
    "/nowhere/shared/halves.py",
    'def half(number):\n    if number % 2:\n        raise ValueError("odd")  # the culprit\n'
    "    return number // 2\n",
)
SCRIPT = """\
import halves

def snaplogic_process(row):
    return {"half": halves.half(row["n"])}
"""


@pytest.fixture(params=["here", "elsewhere"])
def facts(request: pytest.FixtureRequest) -> Iterator[dict[str, Any]]:
    """Where the script runs: in a child of this process, or behind an executor."""
    if request.param == "here":
        yield {}
        return
    host = Host()
    yield host.facts
    host.stop()


def modules(**sources: str) -> tuple[ScriptModule, ...]:
    return tuple(
        ScriptModule(name, f"/nowhere/{name}.py", source) for name, source in sources.items()
    )


@pytest.mark.parametrize(
    ("sources", "name", "reason"),
    [
        (
            {"broken": "x = 1\ny = (\n"},
            "/nowhere/broken.py",
            r"SyntaxError: '\(' was never closed \(/nowhere/broken.py, line 2\)",
        ),
        ({"broken": "x = '\0'\n"}, "/nowhere/broken.py", "null bytes"),
        (
            {"broken": "x = 1\ny = undefined\n"},
            "scripts/x.py",
            r"NameError: .* \(scripts/x.py, line 2, through /nowhere/broken.py, line 2\)",
        ),
        (
            {"broken": "import worse\n", "worse": "\n\n1 / 0\n"},
            "scripts/x.py",
            r"ZeroDivisionError: .* \(scripts/x.py, line 2, through /nowhere/worse.py, line 3\)",
        ),
        (
            {"broken": "raise SystemExit(3)\n"},
            "scripts/x.py",
            r"SystemExit: 3 \(scripts/x.py, line 2, through /nowhere/broken.py, line 1\)",
        ),
        (
            {"other": "pass\n"},
            "scripts/x.py",
            r"ModuleNotFoundError: No module named 'broken' \(scripts/x.py, line 2\)",
        ),
    ],
)
def test_a_module_that_does_not_load_ends_the_script_and_is_named(
    opened: Opened, facts: dict[str, Any], sources: dict[str, str], name: str, reason: str
) -> None:
    session = opened("x = 1\nimport broken\n", modules=modules(**sources), **facts)
    with pytest.raises(ScriptFailure, match=reason) as caught:
        session.start()
    assert caught.value.error == f"Python script error in {name}"
    assert "importlib" not in caught.value.stacktrace
    assert "engine/script" not in caught.value.stacktrace


def test_a_module_that_nobody_imports_must_be_python_too(opened: Opened) -> None:
    with pytest.raises(ScriptFailure, match=r"/nowhere/unused.py, line 1"):
        opened("x = 1\n", modules=modules(unused="def (")).start()


@pytest.mark.parametrize("name", ["msgspec", "snaplogic", "snaplogic_script", "json", "__main__"])
def test_a_module_cannot_replace_a_loaded_library(opened: Opened, name: str) -> None:
    with pytest.raises(ScriptFailure, match=f"/nowhere/{name}.py: .*'{name}' is already loaded"):
        opened("x = 1\n", modules=modules(**{name: "y = 1\n"})).start()


def test_a_missing_library_may_be_a_module_that_the_snap_does_not_list(opened: Opened) -> None:
    with pytest.raises(ScriptFailure) as caught:
        opened("import halves\n").start()
    assert "to its modules" in caught.value.resolution
    assert "slt.ensure('halves')" in caught.value.resolution


def test_a_script_imports_its_modules(opened: Opened, facts: dict[str, Any]) -> None:
    session = opened(SCRIPT, modules=(HALVES,), **facts)
    session.start()
    assert session.process([{"n": 8}]) == [[{"half": 4}]]


def test_an_exception_in_a_module_names_the_line_of_the_script_and_that_of_the_module(
    opened: Opened, facts: dict[str, Any]
) -> None:
    session = opened(SCRIPT, modules=(HALVES,), **facts)
    session.start()
    failed, good = session.process([{"n": 3}, {"n": 2}])
    assert good == [{"half": 1}]
    assert isinstance(failed, ScriptError)
    assert failed.error == "Python script error in scripts/x.py"
    assert failed.reason == (
        "ValueError: odd (scripts/x.py, line 4, through /nowhere/shared/halves.py, line 3)"
    )
    assert failed.resolution == ""
    assert 'File "/nowhere/shared/halves.py", line 3, in half' in failed.stacktrace
    assert "# the culprit" in failed.stacktrace


def test_a_module_that_calls_back_is_not_blamed_for_the_script(opened: Opened) -> None:
    session = opened(
        "import caller\ndef fail():\n    raise ValueError('own')\n"
        "def snaplogic_process(row):\n    caller.call(fail)\n",
        modules=modules(caller="def call(function):\n    function()\n"),
    )
    session.start()
    [failed] = session.process([{}])
    assert isinstance(failed, ScriptError)
    assert failed.reason == "ValueError: own (scripts/x.py, line 3)"


def test_functions_of_the_script_may_come_from_a_module(opened: Opened) -> None:
    session = opened(
        "from hooks import snaplogic_process\n",
        modules=modules(hooks="def snaplogic_process(row):\n    return {'x': 1 / row['n']}\n"),
    )
    session.start()
    good, failed = session.process([{"n": 1}, {"n": 0}])
    assert good == [{"x": 1.0}]
    assert isinstance(failed, ScriptError)
    assert failed.reason == "ZeroDivisionError: division by zero (/nowhere/hooks.py, line 2)"


def test_modules_import_each_other_and_are_loaded_once(opened: Opened) -> None:
    session = opened(
        "import first, second\n"
        "def snaplogic_init():\n"
        "    return {'same': first.second is second, 'x': second.double()}\n",
        modules=modules(
            first="print('first')\nimport second\nvalue = 21\n",
            second="print('second')\nimport first\ndef double():\n    return 2 * first.value\n",
        ),
    )
    assert session.start() == [{"same": True, "x": 42}]
    assert opened.lines == ["first", "second"]


def test_a_module_knows_its_file_and_python_its_source(opened: Opened) -> None:
    session = opened(
        "import inspect, halves\ndef snaplogic_init():\n"
        "    return {'file': halves.__file__, 'name': halves.__name__,"
        " 'source': inspect.getsource(halves.half)}\n",
        modules=(HALVES,),
    )
    assert session.start() == [{"file": HALVES.file, "name": "halves", "source": HALVES.source}]


def test_a_module_takes_precedence_over_a_file_of_the_same_name(
    opened: Opened, tmp_path: Any
) -> None:
    (tmp_path / "halves.py").write_text("def half(number):\n    return 'of the file'\n")
    session = opened(SCRIPT, modules=(HALVES,), folder=str(tmp_path))
    session.start()
    assert session.process([{"n": 8}]) == [[{"half": 4}]]


def test_objects_of_a_module_can_be_pickled(opened: Opened) -> None:
    session = opened(
        "import pickle, shapes\ndef snaplogic_init():\n"
        "    return {'side': pickle.loads(pickle.dumps(shapes.Square(3))).side}\n",
        modules=modules(
            shapes="import dataclasses\n@dataclasses.dataclass\nclass Square:\n    side: int\n"
        ),
    )
    assert session.start() == [{"side": 3}]


def test_an_engine_with_an_older_protocol_gets_both_versions() -> None:
    host = Host()
    with host.dial() as peer:
        Channel(peer).send("hello", VERSION - 1, TOKEN)
        assert Channel(peer).receive() == [
            "refused",
            f"the executor speaks version {VERSION} of the protocol, "
            f"the engine version {VERSION - 1}; install the same version of Snapline on both",
        ]
    host.stop()
