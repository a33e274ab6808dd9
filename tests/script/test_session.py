"""Sessions: hooks, results and errors of well-behaved scripts."""

from __future__ import annotations

import datetime
import pickle
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from engine.documents import RawJson
from engine.script.executor import Executor
from engine.sdk.scripts import ScriptError, ScriptFailure
from tests.script.conftest import Opened

ECHO = "def snaplogic_process(row):\n    return row\n"


def test_each_hook_gives_documents_and_globals_live_as_long_as_the_run(opened: Opened) -> None:
    session = opened("""
        seen = 0
        def snaplogic_init():
            return {"hook": "init"}
        def snaplogic_process(row):
            global seen
            seen += 1
            return [{"row": row["n"]}, {"again": row["n"]}]
        def snaplogic_final():
            return [{"seen": seen}]
    """)
    assert session.start() == [{"hook": "init"}]
    assert session.process([{"n": 1}, {"n": 2}]) == [
        [{"row": 1}, {"again": 1}],
        [{"row": 2}, {"again": 2}],
    ]
    assert session.process([{"n": 3}]) == [[{"row": 3}, {"again": 3}]]
    assert session.finish() == [{"seen": 3}]


def test_init_and_final_may_be_missing(opened: Opened) -> None:
    session = opened(ECHO)
    assert session.start() == []
    assert session.process([]) == []
    assert session.finish() == []


def test_rows_without_a_process_function_are_an_error(opened: Opened) -> None:
    session = opened("def snaplogic_init():\n    pass\n")
    session.start()
    with pytest.raises(ScriptFailure, match="does not define snaplogic_process"):
        session.process([{}])


def test_none_and_drop_documents_give_no_documents(opened: Opened) -> None:
    session = opened("""
        from snaplogic.tool import SLTool as slt
        def snaplogic_process(row):
            if row["n"] == 0:
                return None
            if row["n"] == 1:
                return slt.get_drop_doc()
            return [slt.get_drop_doc(), row]
        def snaplogic_final():
            return slt.get_drop_doc()
    """)
    session.start()
    assert session.process([{"n": 0}, {"n": 1}, {"n": 2}]) == [[], [], [{"n": 2}]]
    assert session.finish() == []


def test_the_pipe_and_the_temporary_folder_are_available(opened: Opened) -> None:
    session = opened(
        """
        import os
        def snaplogic_init():
            return {
                "label": snaplogic_pipe["label"],
                "same": snaplogic_pipe["tmp_root"] == tmp_root and tmp_root.endswith("/"),
                "there": os.path.isdir(tmp_root),
                "name": __name__ != "__main__",
            }
        """,
        pipe={"label": "predict", "args": {"model": "m.json"}},
    )
    assert session.start() == [{"label": "predict", "same": True, "there": True, "name": True}]


def test_a_pipe_that_cannot_be_sent_is_a_clear_error(opened: Opened) -> None:
    with pytest.raises(
        ScriptFailure, match=r"could not send scripts/x.py to its process: .*object"
    ):
        opened(ECHO, pipe={"args": object()}).start()


def test_siblings_of_the_script_can_be_imported(opened: Opened, tmp_path: Any) -> None:
    (tmp_path / "sibling_of_script.py").write_text("value = 7\n")
    session = opened(
        "import sibling_of_script\ndef snaplogic_init():\n"
        "    return {'value': sibling_of_script.value, 'file': __file__}\n",
        folder=str(tmp_path),
    )
    assert session.start() == [{"value": 7, "file": str(tmp_path / "x.py")}]


def test_the_script_sees_no_package_of_the_engine(opened: Opened) -> None:
    session = opened("""
        import importlib.util as u
        def snaplogic_init():
            return {name: u.find_spec(name) is not None
                    for name in ("engine", "networkx", "numpy", "msgspec", "jsonpickle")}
    """)
    assert session.start() == [
        {"engine": False, "networkx": False, "numpy": False, "msgspec": True, "jsonpickle": True}
    ]


@pytest.mark.parametrize(
    "value",
    [
        {"text": "日本 \U0001f600", "empty": "", "nothing": None, "yes": True},
        {"list": [1, [2.5, "x"], {"deep": [{}]}], "float": 1e300},
        {"big": 2**70, "negative": -(2**200), "deep": [{"big": 2**64}], "edge": 2**64 - 1},
        {"infinite": float("inf")},
        {},
    ],
)
def test_documents_come_back_unchanged(opened: Opened, value: dict[str, Any]) -> None:
    session = opened(ECHO)
    session.start()
    assert session.process([value]) == [[value]]


def test_nan_passes(opened: Opened) -> None:
    session = opened(ECHO)
    session.start()
    [[document]] = session.process([{"nan": float("nan")}])  # type: ignore[misc]
    assert document["nan"] != document["nan"]


def test_date_times_of_rows_are_iso_text(opened: Opened) -> None:
    session = opened(ECHO)
    session.start()
    aware = datetime.datetime(2026, 1, 2, 3, 4, 5, tzinfo=datetime.UTC)
    row = {"aware": aware, "naive": aware.replace(tzinfo=None), "day": aware.date()}
    expected = {
        "aware": "2026-01-02T03:04:05Z",
        "naive": "2026-01-02T03:04:05",
        "day": "2026-01-02",
    }
    assert session.process([row]) == [[expected]]


def test_results_are_converted_to_plain_values(opened: Opened) -> None:
    session = opened("""
        import collections, datetime, decimal
        def snaplogic_init():
            return {
                "when": datetime.datetime(2026, 1, 2, 3, 4, 5),
                "amount": decimal.Decimal("1.50"),
                "bytes": "gr\\u00fcn".encode(),
                "tuple": (1, (2, "x")),
                "map": collections.OrderedDict(a=collections.Counter("aa")),
                1: {True: 1, None: 2, 1.5: 3},
            }
    """)
    assert session.start() == [
        {
            "when": "2026-01-02 03:04:05",
            "amount": Decimal("1.50"),
            "bytes": "grün",
            "tuple": [1, [2, "x"]],
            "map": {"a": {"a": 2}},
            "1": {"true": 1, "null": 2, "1.5": 3},
        }
    ]


IMAGE = b"[[0.5, 1], [2.50, 1e400], {}]"


@pytest.mark.parametrize(
    ("exact", "expected"),
    [
        (False, [[0.5, 1], [2.5, float("inf")], {}]),
        (True, [[Decimal("0.5"), 1], [Decimal("2.50"), Decimal("1e400")], {}]),
    ],
)
def test_json_text_in_a_row_is_decoded_by_the_process_of_the_script(
    opened: Opened, exact: bool, expected: list[Any]
) -> None:
    session = opened(ECHO, exact=exact)
    session.start()
    row = {"id": 7, "image": RawJson(IMAGE), "inner": [{"again": RawJson(b'"x"')}]}
    [answer] = session.process([row])
    assert repr(answer) == repr([{"id": 7, "image": expected, "inner": [{"again": "x"}]}])


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{'a': [1, {2}]}", r"key 'a\[1\]' of the result holds a set"),
        ("{'a': object()}", "key 'a' of the result holds a object"),
        ("{'a': b'\\xff'}", "key 'a' of the result holds bytes that are not UTF-8"),
        ("{(1, 2): 3}", "a key that is a tuple"),
        ("{'a': '\\ud800'}", "not valid Unicode"),
        ("5", "must return a dict, a list of dicts or None, not int"),
        ("(row, row)", "not tuple"),
        ("[row, 'x']", "element 1 of its list is str"),
    ],
)
def test_a_result_of_another_type_is_an_error_of_its_row(
    opened: Opened, value: str, message: str
) -> None:
    session = opened(f"def snaplogic_process(row):\n    return row if row['ok'] else {value}\n")
    session.start()
    good, bad, after = session.process([{"ok": 1}, {"ok": 0}, {"ok": 2}])
    assert (good, after) == ([{"ok": 1}], [{"ok": 2}])
    with pytest.raises(ScriptError, match=message):
        raise bad  # type: ignore[misc]


def test_a_wrong_type_names_the_line_of_the_function(opened: Opened) -> None:
    session = opened("x = 1\n\ndef snaplogic_process(row):\n    return 5\n")
    session.start()
    [answer] = session.process([{}])
    assert isinstance(answer, ScriptError)
    assert answer.reason.endswith("not int (scripts/x.py, line 3)")


def test_a_list_that_holds_itself_is_an_error(opened: Opened) -> None:
    session = opened("""
        def snaplogic_process(row):
            row["self"] = [row]
            return row
    """)
    session.start()
    assert isinstance(session.process([{}])[0], ScriptError)
    assert isinstance(session.process([{}])[0], ScriptError)


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


def test_exit_in_process_is_an_error_of_the_row(opened: Opened) -> None:
    session = opened("def snaplogic_process(row):\n    exit(row['code'])\n")
    session.start()
    [answer] = session.process([{"code": 3}])
    assert isinstance(answer, ScriptError)
    assert "SystemExit: 3" in answer.reason


def test_a_batch_function_gets_all_rows_at_once(opened: Opened) -> None:
    session = opened("""
        def snaplogic_process_batch(rows):
            return [{"of": len(rows)}, None, [row for row in rows]]
    """)
    session.start()
    assert session.process([{"n": 1}, {"n": 2}, {"n": 3}]) == [
        [{"of": 3}],
        [],
        [{"n": 1}, {"n": 2}, {"n": 3}],
    ]


def test_after_an_exception_in_a_batch_each_row_is_retried_with_a_fresh_copy(
    opened: Opened,
) -> None:
    session = opened("""
        def snaplogic_process_batch(rows):
            rows[0]["spoilt"] = True
            raise ValueError("batch")
        def snaplogic_process(row):
            return {"got": row["n"] // row["n"], "spoilt": "spoilt" in row}
    """)
    session.start()
    first, second = session.process([{"n": 1}, {"n": 0}])
    assert first == [{"got": 1, "spoilt": False}]
    assert isinstance(second, ScriptError)


def test_a_batch_function_alone_answers_for_every_row(opened: Opened) -> None:
    session = opened("def snaplogic_process_batch(rows):\n    raise ValueError('batch')\n")
    session.start()
    answers = session.process([{}, {}])
    assert [str(answer) for answer in answers] == [
        "Python script error in scripts/x.py: ValueError: batch (scripts/x.py, line 2)"
    ] * 2


def test_a_batch_result_of_another_length_is_an_error_of_every_row(opened: Opened) -> None:
    session = opened("def snaplogic_process_batch(rows):\n    return rows[:1]\n")
    session.start()
    for answer in session.process([{}, {}]):
        assert isinstance(answer, ScriptError)
        assert "it got 2 rows and returned a list of 1" in answer.reason


def test_a_large_batch_is_split_to_fit_into_frames(opened: Opened) -> None:
    session = opened(ECHO, by=Executor(frame_limit=10_000))
    session.start()
    rows = [{"n": n, "text": "x" * 3000} for n in range(10)]
    assert session.process(rows) == [[row] for row in rows]


def test_a_row_too_large_for_a_frame_is_that_rows_error(opened: Opened) -> None:
    session = opened(ECHO, by=Executor(frame_limit=10_000))
    session.start()
    large, small = session.process([{"text": "x" * 20_000}, {"n": 1}])
    assert small == [{"n": 1}]
    assert "the limit is 10000 bytes" in str(large)


def test_an_answer_too_large_for_a_frame_is_that_rows_error(opened: Opened) -> None:
    session = opened(
        "def snaplogic_process(row):\n    return {'text': 'x' * row['size']}\n",
        by=Executor(frame_limit=10_000),
    )
    session.start()
    small, large = session.process([{"size": 1}, {"size": 20_000}])
    assert small == [{"text": "x"}]
    assert "could not pass on the result of snaplogic_process" in str(large)


def test_an_object_that_cannot_be_sent_is_that_rows_error(opened: Opened) -> None:
    session = opened(ECHO)
    session.start()
    odd, fine = session.process([{"odd": object()}, {"n": 1}])
    assert fine == [{"n": 1}]
    assert "could not send a row to scripts/x.py" in str(odd)


def test_decimals_of_rows_are_numbers(opened: Opened) -> None:
    session = opened(ECHO)
    session.start()
    assert session.process([{"amount": Decimal("1.25")}]) == [[{"amount": 1.25}]]


def test_lines_are_shown_while_the_script_runs(opened: Opened) -> None:
    printed = threading.Event()

    def output(line: str) -> None:
        if line == "begun":
            printed.set()

    session = opened(
        """
        import pathlib, time
        def snaplogic_process(row):
            print("begun")
            while not pathlib.Path(tmp_root, "go").exists():
                time.sleep(0.005)
        def snaplogic_init():
            return {"root": tmp_root}
        """,
        output=output,
    )
    [document] = session.start()
    answers: list[Any] = []
    thread = threading.Thread(target=lambda: answers.extend(session.process([{}])))
    thread.start()
    assert printed.wait(5)
    assert not answers
    with open(document["root"] + "go", "w"):  # noqa: PTH123
        pass
    thread.join(5)
    assert answers == [[]]


def test_every_way_to_print_is_captured_in_order(opened: Opened) -> None:
    session = opened("""
        import os, subprocess, sys
        print("one")
        print("two", file=sys.stderr)
        os.write(1, b"three\\n")
        subprocess.run(["echo", "four"])
        print()
        print("no line end", end="")
    """)
    session.start()
    assert opened.lines[:5] == ["one", "two", "three", "four", ""]
    session.finish()
    session.close()
    assert opened.lines[5:] == ["no line end"]


def test_exit_handlers_run_and_files_are_flushed_when_a_finished_session_closes(
    opened: Opened, tmp_path: Any
) -> None:
    session = opened(
        """
        import atexit
        file = open(snaplogic_pipe["args"]["path"], "w")
        file.write("kept")
        atexit.register(print, "goodbye")
        """,
        pipe={"args": {"path": str(tmp_path / "log")}},
    )
    session.start()
    session.finish()
    session.close()
    assert (tmp_path / "log").read_text() == "kept"
    assert opened.lines == ["goodbye"]


def test_an_exception_of_the_output_callback_is_not_lost(opened: Opened) -> None:
    def output(line: str) -> None:
        raise LookupError(line)

    session = opened("print('x')\n", output=output)
    with pytest.raises(LookupError, match="x"):
        session.start()


WAITING = """
import os, time
def snaplogic_process(row):
    if row["n"] == {waits}:
        end = time.monotonic() + 30
        while not os.path.exists({gate!r}):
            if time.monotonic() > end:
                raise TimeoutError("the previous answer has not been sent")
            time.sleep(0.01)
    return row
"""


@pytest.mark.parametrize("count", [2, 50])
def test_answers_leave_while_the_next_row_is_processed(
    opened: Opened, tmp_path: Path, count: int
) -> None:
    gate = tmp_path / "gate"
    session = opened(WAITING.format(waits=count - 1, gate=str(gate)))
    session.start()
    rows = [{"n": n} for n in range(count)]
    answers: list[Any] = []
    for part in session.parts.process(rows):
        answers += part
        if len(answers) == count - 1:
            gate.touch()
    assert answers == rows


def test_answers_come_again_in_parts_after_a_pause(opened: Opened, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    session = opened(WAITING.format(waits=1, gate=str(gate)))
    session.start()
    for _ in range(3):
        parts = session.parts.process([{"n": 0}, {"n": 1}])
        assert next(parts) == [{"n": 0}]
        gate.touch()
        assert list(parts) == [[{"n": 1}]]
        gate.unlink()


def test_answers_before_the_end_of_the_script_are_delivered(opened: Opened) -> None:
    session = opened("""
        import os, time
        def snaplogic_process(row):
            if row["n"] == 2:
                time.sleep(0.1)
                os._exit(3)
            return row
    """)
    session.start()
    parts = session.parts.process([{"n": n} for n in range(4)])
    assert next(parts) == [{"n": 0}, {"n": 1}]
    with pytest.raises(ScriptFailure, match="exited with code 3 while it was processing row 3"):
        next(parts)
