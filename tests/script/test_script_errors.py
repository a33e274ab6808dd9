"""What a script raises: for one row, in a batch, before the first row and at the end."""

from __future__ import annotations

import pickle
import re

import pytest

from engine.sdk.scripts import ScriptError, ScriptFailure
from tests.script.conftest import Opened


def test_an_exception_is_the_answer_of_its_row_and_the_next_row_goes_on(opened: Opened) -> None:
    session = opened("""
        def snaplogic_process(row):
            return {"x": 1 / row["n"]}
    """)
    session.start()
    first, second, third = session.process([{"n": 1}, {"n": 0}, {"n": 2}])
    assert (first, third) == ([{"x": 1.0}], [{"x": 0.5}])
    assert isinstance(second, ScriptError)
    assert second.error == "Python script error in scripts/x.py"
    assert second.reason == "ZeroDivisionError: division by zero (scripts/x.py, line 3)"
    assert second.resolution


def test_the_traceback_shows_the_scripts_lines_and_none_of_the_engine(opened: Opened) -> None:
    session = opened("""
        def inner(row):
            raise KeyError("deep")  # the culprit
        def snaplogic_process(row):
            try:
                inner(row)
            except KeyError as error:
                raise ValueError("outer") from error
    """)
    session.start()
    [answer] = session.process([{}])
    assert isinstance(answer, ScriptError)
    assert "# the culprit" in answer.stacktrace
    assert "direct cause" in answer.stacktrace
    assert 'File "scripts/x.py", line 8, in snaplogic_process' in answer.stacktrace
    assert "engine/script" not in answer.stacktrace


def test_a_very_deep_recursion_is_described_by_its_last_calls(opened: Opened) -> None:
    session = opened("""
        import sys
        sys.setrecursionlimit(20_000)
        def snaplogic_process(row):
            return snaplogic_process(row)
    """)
    session.start()
    [answer] = session.process([{}])
    assert isinstance(answer, ScriptError)
    assert answer.reason.startswith("RecursionError: maximum recursion depth exceeded")
    (repeated,) = re.findall(r"repeated (\d+) more times", answer.stacktrace)
    assert int(repeated) < 1_000


def test_the_errors_of_scripts_survive_pickling() -> None:
    for kind in (ScriptError, ScriptFailure):
        error = kind("a", "b", "c", "d")
        copy = pickle.loads(pickle.dumps(error))
        assert (copy.error, copy.reason, copy.resolution, copy.stacktrace) == tuple("abcd")


@pytest.mark.parametrize(
    ("source", "reason"),
    [
        ("x = (1,\n", r"SyntaxError: '\(' was never closed \(scripts/x.py, line 1\)"),
        ("y = 1\nx = undefined\n", r"NameError: .* \(scripts/x.py, line 2\)"),
        ("import no_such_library\n", r"ModuleNotFoundError: .* \(scripts/x.py, line 1\)"),
        ("raise SystemExit(3)\n", r"SystemExit: 3 \(scripts/x.py, line 1\)"),
        ("def snaplogic_init():\n    raise OSError('x')\n", r"OSError: x \(scripts/x.py, line 2\)"),
        ("def snaplogic_init():\n    return 5\n", r"not int \(scripts/x.py, line 1\)"),
        ("def f():\n    f()\nf()\n", r"RecursionError: .* \(scripts/x.py, line 2\)"),
        ("x = '\\0'\nclass E(Exception): pass\nraise E('own')\n", r": E: own \(scripts/x.py"),
    ],
)
def test_a_script_that_fails_before_its_first_row_cannot_go_on(
    opened: Opened, source: str, reason: str
) -> None:
    session = opened(source)
    with pytest.raises(ScriptFailure, match=reason) as caught:
        session.start()
    assert "x.py" in caught.value.stacktrace
    with pytest.raises(ScriptFailure, match=reason):
        session.process([{}])


def test_an_exception_in_final_is_a_data_error(opened: Opened) -> None:
    session = opened("def snaplogic_final():\n    raise RuntimeError('late')\n")
    session.start()
    with pytest.raises(ScriptError, match=r"RuntimeError: late \(scripts/x.py, line 2\)"):
        session.finish()


def test_an_exception_in_combine_is_a_data_error(opened: Opened) -> None:
    session = opened("def snaplogic_combine(all):\n    return all[0]['n']\n", combines=True)
    session.start()
    with pytest.raises(ScriptError, match=r"KeyError: 'n' \(scripts/x.py, line 2\)"):
        session.combine([{"m": 1}])


def test_exit_in_process_is_an_error_of_the_row(opened: Opened) -> None:
    session = opened("def snaplogic_process(row):\n    exit(row['code'])\n")
    session.start()
    [answer] = session.process([{"code": 3}])
    assert isinstance(answer, ScriptError)
    assert "SystemExit: 3" in answer.reason
