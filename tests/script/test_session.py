"""Sessions: hooks, results and errors of well-behaved scripts."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from engine.sdk.scripts import ScriptFailure
from tests.script.conftest import Opened

ECHO = "def snaplogic_process(row):\n    return row\n"
COMBINING = """
    rows = []
    def snaplogic_process(row):
        rows.append(row["n"])
    def snaplogic_final():
        return {"sum": sum(rows)}
    def snaplogic_combine(documents):
        return {"total": sum(each["sum"] for each in documents), "of": len(documents)}
"""


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


def test_the_last_documents_of_copies_are_combined(opened: Opened) -> None:
    session = opened(COMBINING, combines=True)
    session.start()
    session.process([{"n": 1}, {"n": 2}])
    assert session.finish() == [{"sum": 3}]
    assert session.combine([{"sum": 3}, {"sum": 4}]) == [{"total": 7, "of": 2}]


def test_a_script_that_combines_must_define_how_before_it_gets_rows(opened: Opened) -> None:
    session = opened(ECHO, combines=True)
    with pytest.raises(ScriptFailure, match="does not define snaplogic_combine"):
        session.start()


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
    assert printed.wait(240)
    assert not answers
    with open(document["root"] + "go", "w"):  # noqa: PTH123
        pass
    thread.join(240)
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
