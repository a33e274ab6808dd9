from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from engine.documents import Document
from engine.errors import ConfigurationError, DataError, EngineError
from engine.sdk import Script

SCRIPT = """\
def snaplogic_init():
    print("ready")
    return {"from": "init"}

def snaplogic_process(row):
    print("row", row["n"])
    if row["n"] < 0:
        raise ValueError("too small")
    return [{"n": row["n"]}] * row["n"]

def snaplogic_final():
    print("over")
    return {"from": "final"}
"""


def test_documents_of_all_three_functions_come_in_order(run_snap: Any) -> None:
    result = run_snap("RemotePythonScript", {"source": SCRIPT}, [{"n": 2}, {"n": 0}, {"n": 1}])
    assert result.output == [{"from": "init"}, {"n": 2}, {"n": 2}, {"n": 1}, {"from": "final"}]
    assert result.dropped == 1


def test_a_row_that_raises_fails_alone_with_the_scripts_own_line(run_snap: Any) -> None:
    given = [{"n": 1}, {"n": -1}, {"n": 1}]
    result = run_snap("RemotePythonScript", {"source": SCRIPT}, given, on_error="route")
    assert result.output == [{"from": "init"}, {"n": 1}, {"n": 1}, {"from": "final"}]
    (error,) = result.errors
    assert error["original"] == {"n": -1}
    assert "too small" in error["error"] + error["reason"]


def test_advice_about_the_line_is_given_only_where_the_script_has_not_raised_itself(
    run_snap: Any,
) -> None:
    source = SCRIPT.replace('print("row", row["n"])', 'row["gone"] if row["n"] == 0 else None')
    given = [{"n": -1}, {"n": 0}]
    own, slip = run_snap("RemotePythonScript", {"source": source}, given, on_error="route").errors
    assert (own["resolution"], slip["resolution"]) == ("", "correct the script at this line")


def test_an_unlinked_input_gives_no_row(run_snap: Any) -> None:
    output = run_snap("RemotePythonScript", {"source": SCRIPT}).output
    assert output == [{"from": "init"}, {"from": "final"}]


def test_lines_are_shown_and_are_documents_of_the_second_view(run_snap: Any) -> None:
    result = run_snap("RemotePythonScript", {"source": SCRIPT}, [{"n": 1}])
    assert result.shown == ["ready", "row 1", "over"]
    assert result.outputs["stdout"] == [{"line": line} for line in result.shown]


def test_lines_are_only_shown_if_the_second_view_is_not_linked(run_snap: Any) -> None:
    result = run_snap("RemotePythonScript", {"source": SCRIPT}, [{"n": 1}], outputs=["output"])
    assert result.shown == ["ready", "row 1", "over"]
    assert list(result.outputs) == ["output"]


def test_the_script_can_be_in_a_file(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "one.py").write_text("\ufeff" + SCRIPT, encoding="utf-8")
    result = run_snap("RemotePythonScript", {"script": "one.py"}, [{"n": 1}])
    assert {"n": 1} in result.output


@pytest.mark.parametrize("content", [SCRIPT, SCRIPT.encode()])
def test_the_script_can_come_as_a_document(run_snap: Any, content: str | bytes) -> None:
    given = {"input": [{"n": 1}], "script": [{"content": content}, {"content": "ignored"}]}
    result = run_snap("RemotePythonScript", {}, given)
    assert result.output == [{"from": "init"}, {"n": 1}, {"from": "final"}]
    assert result.outputs["stdout"][0] == {"line": "ready"}
    assert result.dropped == 2


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ([], "the view 'script' received no document"),
        ([{"text": "x"}], "the field 'content' of the first document"),
    ],
)
def test_without_a_script_on_its_view_nothing_runs(
    run_snap: Any, script: list[Document], message: str
) -> None:
    with pytest.raises(EngineError, match=message):
        run_snap("RemotePythonScript", {}, {"script": script, "input": [{"n": 1}]})


def test_a_missing_script_is_reported_before_anything_runs(run_snap: Any) -> None:
    with pytest.raises(EngineError, match="there is no script"):
        run_snap("RemotePythonScript", {}, [])


def test_parameters_reach_the_script(run_snap: Any) -> None:
    source = """\
def snaplogic_init(): return {"x": snaplogic_pipe["args"]["x"]}
def snaplogic_process(row): return None
def snaplogic_final(): return None
"""
    result = run_snap("RemotePythonScript", {"source": source}, [], parameters={"x": "1"})
    assert result.output == [{"x": "1"}]


def test_an_error_at_the_end_is_an_error_document_and_keeps_the_lines(run_snap: Any) -> None:
    source = SCRIPT + "    raise ValueError('too late')\n"
    source = source.replace('    return {"from": "final"}\n', "")
    result = run_snap("RemotePythonScript", {"source": source}, [{"n": 1}], on_error="route")
    assert result.output == [{"from": "init"}, {"n": 1}]
    assert "too late" in result.errors[0]["error"] + result.errors[0]["reason"]
    assert result.outputs["stdout"][-1] == {"line": "over"}


def test_a_script_that_cannot_start_stops_the_pipeline(run_snap: Any) -> None:
    with pytest.raises(EngineError, match="not valid Python"):
        run_snap("RemotePythonScript", {"source": "def ("}, [], on_error="discard")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"script": "a.py", "source": "x"}, "script and source are both set"),
        ({"source": "x", "timeout": 0}, "timeout must be greater than 0, got 0"),
        ({"source": "x", "executor": "localhost"}, "'localhost' is not an address"),
        ({"source": "x", "executor": ":5301"}, "is not an address"),
        ({"source": "x", "executor": "host:99999"}, "is not an address"),
        ({"source": "x", "install": "maybe"}, "install"),
        ({"source": "x", "modules": "a.py"}, "modules"),
        (
            {"source": "x", "modules": ["my-half.py"]},
            "'my-half' is not a name that Python can import",
        ),
        ({"source": "x", "modules": ["class.py"]}, "'class' is not a name that Python can import"),
        ({"source": "x", "modules": ["a/__init__.py"]}, "'__init__' is not a name"),
        ({"source": "x", "modules": [""]}, "'' is not a name"),
        ({"source": "x", "modules": ["a.py", "b/a.py"]}, "another module is also named 'a'"),
        ({"source": "x", "modules": ["json.py"]}, "'json' would hide the module of that name"),
        ({"source": "x", "modules": ["snaplogic.py"]}, "'snaplogic' would hide the library"),
    ],
)
def test_invalid_settings_are_refused(
    run_snap: Any, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):
        run_snap("RemotePythonScript", settings, [])


class Recorder:
    """A script executor that runs nothing and records its calls."""

    def __init__(self) -> None:
        self.calls: list[Any] = []

    def open(self, script: Script, output: Callable[[str], None], lost: Any = None) -> Recorder:
        self.script = script
        return self

    def connect(self) -> None:
        """Nothing to prepare."""

    def start(self) -> list[Document]:
        return []

    def process(self, rows: list[Document]) -> list[list[Document] | DataError]:
        self.calls.append(len(rows))
        return [[row] for row in rows]

    def finish(self) -> list[Document]:
        self.calls.append("finish")
        return []

    def interrupt(self) -> None:
        self.calls.append("interrupt")

    def close(self) -> None:
        self.calls.append("close")


def test_the_executor_gets_what_the_settings_say(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "scripts").mkdir()
    (tmp_path / "scripts" / "one.py").write_text(PASSING)
    settings = {
        "script": "scripts/one.py",
        "requirements": ["numpy>=1.26"],
        "environment": "digits",
        "install": "refuse",
        "timeout": 5,
        "executor": "gpu:5301",
        "token": "= _secret",
    }
    recorder = Recorder()
    run_snap("RemotePythonScript", settings, [], parameters={"secret": "s"}, scripts=recorder)
    script = recorder.script
    assert (script.source, script.name) == (PASSING, "one.py")
    assert script.folder == str(tmp_path / "scripts")
    assert script.requirements == ("numpy>=1.26",)
    assert (script.environment, script.install, script.timeout) == ("digits", "refuse", 5)
    assert (script.executor, script.token) == ("gpu:5301", "s")


def write_modules(folder: Path) -> list[str]:
    """Two modules; one imports the other."""
    (folder / "shared").mkdir()
    (folder / "shared" / "half.py").write_text(
        "\ufeffimport checks\ndef half(n):\n    return checks.even(n) // 2\n", encoding="utf-8"
    )
    (folder / "checks.py").write_text(
        "def even(n):\n    if n % 2:\n        raise ValueError('odd')\n    return n\n"
    )
    return ["shared/half.py", "checks.py"]


PASSING = "def snaplogic_process(row): return row\n"
HALVING = """\
import half

def snaplogic_process(row):
    return {"half": half.half(row["n"])}
"""


@pytest.mark.parametrize("source", ["a file", "a setting", "a document"])
def test_a_script_imports_its_modules_however_it_comes(
    run_snap: Any, tmp_path: Path, source: str
) -> None:
    settings: dict[str, Any] = {"modules": write_modules(tmp_path)}
    given: dict[str, Any] = {"input": [{"n": 4}]}
    match source:
        case "a file":
            (tmp_path / "one.py").write_text(HALVING)
            settings["script"] = "one.py"
        case "a setting":
            settings["source"] = HALVING
        case _:
            given["script"] = [{"content": HALVING}]
    assert run_snap("RemotePythonScript", settings, given).output == [{"half": 2}]


def test_an_error_in_a_module_is_a_document_that_names_both_lines(
    run_snap: Any, tmp_path: Path
) -> None:
    settings = {"source": HALVING, "modules": write_modules(tmp_path)}
    result = run_snap("RemotePythonScript", settings, [{"n": 3}, {"n": 2}], on_error="route")
    assert result.output == [{"half": 1}]
    [error] = result.errors
    assert error["original"] == {"n": 3}
    assert error["reason"].endswith(f", line 4, through {tmp_path / 'checks.py'}, line 3)")
    assert "return checks.even(n) // 2" in error["stacktrace"]


def test_the_executor_gets_the_modules_as_texts(run_snap: Any, tmp_path: Path) -> None:
    recorder = Recorder()
    settings = {"source": PASSING, "modules": write_modules(tmp_path)}
    run_snap("RemotePythonScript", settings, [], scripts=recorder)
    half, checks = recorder.script.modules
    assert (half.name, half.file) == ("half", str(tmp_path / "shared" / "half.py"))
    assert half.source.startswith("import checks\n")
    assert (checks.name, checks.file) == ("checks", str(tmp_path / "checks.py"))


def test_a_module_that_is_not_text_is_refused_by_name(run_snap: Any, tmp_path: Path) -> None:
    (tmp_path / "grey.py").write_bytes(b"x = '\xe4'\n")
    with pytest.raises(ConfigurationError, match=r"module in grey\.py is not UTF-8 text"):
        run_snap("RemotePythonScript", {"source": PASSING, "modules": ["grey.py"]}, [])


@pytest.mark.parametrize(
    ("line", "says"),
    [
        ("numpy=1.26", '"numpy=1.26" is not a constraint of pip; write it as numpy==VERSION'),
        ("numpy 1.26", '"numpy 1.26" is not a constraint of pip; write it as numpy==VERSION'),
        ("numpy==  # newest", '"numpy==" is not a constraint of pip; write it as numpy==VERSION'),
        ("{}", '"{}" is not a constraint of pip; write it as NAME==VERSION'),
    ],
)
def test_a_malformed_line_of_the_constraints_is_named_with_the_users_file(
    run_snap: Any, tmp_path: Path, line: str, says: str
) -> None:
    (tmp_path / "pins.txt").write_text(f"# Pinned.\nsix==1.16.0\n{line}\n")
    settings = {"source": SCRIPT, "constraints": "pins.txt"}
    with pytest.raises(ConfigurationError, match=re.escape(f"\npins.txt, line 3: {says}")):
        run_snap("RemotePythonScript", settings, [{"n": 1}])


def test_every_form_that_pip_takes_may_be_in_the_constraints(run_snap: Any, tmp_path: Path) -> None:
    lines = [
        "six == 1.16.0",
        "a.b-c_d[extra, other] >=1.0,<2 , !=1.5; python_version < '3.12'  # why",
        "wheel @ https://example.com/wheel-1.0.whl#sha256=abc",
        "pinned==1.0 --hash=sha256:abc \\",
        "    --hash=sha256:def",
        "long == \\",
        "  1.0",
        "old===1.0.0dev",
        "bracketed (>=1.0)",
        "https://example.com/a.whl",
        "./local.whl",
        "-c other.txt",
        "bare",
        "",
    ]
    (tmp_path / "pins.txt").write_text("\n".join(lines))
    scripts = Recorder()
    settings = {"source": SCRIPT, "constraints": "pins.txt"}
    run_snap("RemotePythonScript", settings, [{"n": 1}], scripts=scripts)
    assert scripts.script.constraints == "\n".join(lines)


def test_rows_are_passed_in_batches_and_the_session_is_closed(run_snap: Any) -> None:
    recorder = Recorder()
    given = [{"n": number} for number in range(100)]
    result = run_snap("RemotePythonScript", {"source": PASSING}, given, scripts=recorder)
    assert result.output == given
    assert recorder.calls == [64, 36, "finish", "close"]


@pytest.mark.parametrize(
    "settings", [{"script": "gone.py"}, {"source": "x", "modules": ["gone.py"]}]
)
def test_a_script_that_cannot_be_read_stops_the_pipeline_whatever_on_error_says(
    run_snap: Any, settings: dict[str, Any]
) -> None:
    with pytest.raises(EngineError, match=r"gone\.py"):
        run_snap("RemotePythonScript", settings, [], on_error="discard")


@pytest.mark.parametrize("on_error", ["stop", "discard", "route"])
def test_a_token_that_cannot_be_evaluated_stops_the_pipeline_and_says_why(
    run_snap: Any, on_error: str
) -> None:
    settings = {"source": SCRIPT, "token": "= $.nope"}
    with pytest.raises(EngineError, match="nope"):
        run_snap("RemotePythonScript", settings, [{"n": 1}], on_error=on_error)
