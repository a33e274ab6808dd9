"""`engine run` as a user sees it: exit codes, what goes to which stream, and how it stops."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ECHO = """
snaps:
  make: {snap: JSONGenerator, documents: [{a: 1}, {a: 2}]}
  shape: {snap: Mapper, mappings: {$b: $a}}
links: [make -> shape]
"""


def test_documents_go_to_standard_output_as_json_lines(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    done = engine("run", "echo.yaml")
    assert done.returncode == 0
    assert done.stdout == '{"b":1}\n{"b":2}\n'
    assert "echo: completed" in done.stderr


def test_the_version_is_printed(engine: Any) -> None:
    done = engine("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("snapline ")


def test_a_pipeline_that_fails_ends_with_1(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "bad.yaml").write_text("snaps: {one: {snap: Mapper, mappings: {$a: $nothing}}}")
    done = engine("run", "bad.yaml")
    assert done.returncode == 1
    assert "$nothing" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["run", "wrong.yaml"], "did you mean 'Mapper'"),
        (["run", "echo.yaml", "--param", "x=1"], "no parameter 'x'"),
        (["run", "echo.yaml", "--param", "x"], "must have the form NAME=VALUE"),
        (["run", "echo.yaml", "--timezone", "Mars"], "Mars"),
        (["run", "nowhere.yaml"], "there is no pipeline file 'nowhere.yaml'\n"),
        (["run", "echo.yml"], "no pipeline file 'echo.yml'; did you mean 'echo.yaml'?"),
        (["run", "ehco.yaml"], "no pipeline file 'ehco.yaml'; did you mean 'echo.yaml'?"),
        (["run", "pages.yaml"], "there is no pipeline file 'pages.yaml'\n"),
        (["run", "flow/echo.yml"], "'flow/echo.yml'; did you mean 'flows/echo.yml'?"),
        (["run", "echo.yaml", "extra"], "usage: engine run [-h]"),
        (["run", "echo.yaml", "extra", "--more"], "engine run: error: unknown arguments: extra"),
        (["run", "--project", "nix", "echo.yaml"], "--project: there is no folder 'nix'"),
        (["run"], "PIPELINE"),
        (
            ["fly"],
            "engine: error: there is no command 'fly'; the commands are: run, preview, validate",
        ),
        (["rnu"], "there is no command 'rnu'; did you mean 'run'?"),
        (
            ["run", "echo.yaml", "--parm", "a=b"],
            "--parm a=b; did you mean '--param'?",
        ),
    ],
)
def test_an_invalid_pipeline_or_command_ends_with_2(
    engine: Any, tmp_path: Path, arguments: list[str], says: str
) -> None:
    (tmp_path / "flows").mkdir()
    (tmp_path / "flows/echo.yml").write_text(ECHO)
    (tmp_path / "page.html").touch()
    (tmp_path / "echo.yaml").write_text(ECHO)
    (tmp_path / "wrong.yaml").write_text("snaps: {one: {snap: Maper}}")
    done = engine(*arguments)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_the_report_is_written_as_json(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    assert engine("run", "echo.yaml", "--report", "report.json").returncode == 0
    report = json.loads((tmp_path / "report.json").read_text())
    assert report["status"] == "completed"
    assert [snap["out"] for snap in report["snaps"]] == [2, 2]


def test_secrets_are_never_printed(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "secret.yaml").write_text("""
    parameters: {token: {secret: true, required: true}}
    snaps: {one: {snap: Mapper, mappings: {$said: "'it is ' + _token"}}}
    """)
    done = engine("run", "secret.yaml", "--param", "token=hunter22")
    assert done.returncode == 0
    assert "hunter22" not in done.stdout + done.stderr
    assert done.stdout == '{"said":"it is ***"}\n'


def test_validate_names_every_mistake_and_ends_with_2(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    (tmp_path / "wrong.yaml").write_text("snaps:\n  one: {snap: Maper}\n  two: {snap: Filter}\n")
    done = engine("validate", "echo.yaml", "wrong.yaml")
    assert done.returncode == 2
    assert "echo.yaml: ok" in done.stdout
    assert "wrong.yaml:2:" in done.stderr
    assert "wrong.yaml:3:" in done.stderr
    assert "wrong.yaml: 2 errors" in done.stdout


MANY = """
snaps:
  make: {snap: JSONGenerator, documents: [{a: "sl.range(200)"}]}
  run: {snap: RemotePythonScript, source: "def snaplogic_process(row):\\n
          \\  return [{'i': i} for i in range(200000)]"}
  keep: {snap: Filter, filter: $i >= 0}
links: [make -> run -> keep]
"""


@pytest.mark.parametrize(
    ("where", "code", "says"),
    [
        ("| head -c 10", 0, ""),
        ("> /dev/full", 1, "documents were lost: cannot write to standard output"),
        (">&-", 0, "completed"),
    ],
)
def test_an_output_that_cannot_be_written_is_reported_in_one_line(
    tmp_path: Path, where: str, code: int, says: str
) -> None:
    (tmp_path / "many.yaml").write_text(MANY)
    done = subprocess.run(
        f"{sys.executable} -m engine run many.yaml {where}",
        shell=True,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == code
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_report_that_cannot_be_written_is_reported_before_the_run(
    engine: Any, tmp_path: Path
) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    done = engine("run", "echo.yaml", "--report", "no/such/folder.json")
    assert done.returncode == 2
    assert "--report: cannot write the file" in done.stderr
    assert done.stdout == ""


def test_validate_goes_on_after_a_file_that_is_not_there(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    done = engine("validate", "nowhere.yaml", "echo.yaml")
    assert done.returncode == 2
    assert "nowhere.yaml" in done.stderr
    assert "echo.yaml: ok" in done.stdout


@pytest.mark.parametrize(
    ("expression", "reason"),
    [
        (r"'x\\ud800'", "$.a.b holds half of a surrogate pair at character 1"),
        ("parseFloat('x')", "$.a.b is NaN, which JSON cannot represent"),
    ],
)
def test_a_document_that_json_cannot_hold_fails_the_run_by_the_name_of_the_field(
    engine: Any, tmp_path: Path, expression: str, reason: str
) -> None:
    (tmp_path / "odd.yaml").write_text(
        f"""snaps: {{one: {{snap: Mapper, mappings: {{$a.b: "{expression}"}}}}}}"""
    )
    done = engine("run", "odd.yaml")
    assert done.returncode == 1
    assert "the open output 'one.output' received a document that cannot be written" in done.stderr
    assert reason in done.stderr
    assert done.stdout == ""


SLEEPER = """
snaps:
  sleep: {snap: RemotePythonScript, source: "import time, os\\nprint(os.getpid(), flush=True)\\n\\
          def snaplogic_final():\\n    time.sleep(600)\\n"}
  format: {snap: JSONFormatter}
  write: {snap: FileWriter, file: out.json}
links: [sleep -> format -> write]
"""


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stops_at_once_and_leaves_nothing_behind(tmp_path: Path, sent: signal.Signals) -> None:
    (tmp_path / "sleep.yaml").write_text(SLEEPER)
    (tmp_path / "out.json").write_text("old")
    with subprocess.Popen(
        [sys.executable, "-m", "engine", "run", "sleep.yaml"],
        cwd=tmp_path,
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stderr is not None
        child = int(process.stderr.readline().split("|")[1])
        process.send_signal(sent)
        assert process.wait(timeout=240) == 130
        assert "Traceback" not in process.stderr.read()
    with pytest.raises(ProcessLookupError):
        os.kill(child, 0)
    assert (tmp_path / "out.json").read_text() == "old"
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["out.json", "sleep.yaml"]


SHAPE = "snaps: {shape: {snap: Mapper, mappings: {$b: $a}}}"


@pytest.mark.parametrize(
    ("text", "printed"),
    [
        ('{"a": 1}', '{"b":1}\n'),
        ('[{"a": 1}, {"a": 2}]', '{"b":1}\n{"b":2}\n'),
        ('{"a": 1}\n\n{"a": 2}\n', '{"b":1}\n{"b":2}\n'),
        ("[]", ""),
        ('\ufeff{"a": 1}', '{"b":1}\n'),
        ('{\n  "a": 1\n}\n{"a": 2} [{"a": 3}] // end', '{"b":1}\n{"b":2}\n{"b":3}\n'),
    ],
)
def test_the_open_input_gets_the_documents_of_a_file(
    text: str, printed: str, engine: Any, tmp_path: Path
) -> None:
    (tmp_path / "shape.yaml").write_text(SHAPE)
    (tmp_path / "in.json").write_text(text)
    assert engine("run", "shape.yaml", "--input", "in.json").stdout == printed
    assert engine("run", "shape.yaml", "--input", "-", input=text).stdout == printed


@pytest.mark.parametrize(
    ("pipeline", "text", "says"),
    [
        (SHAPE, None, "cannot read"),
        (ECHO, "{}", "--input needs an open input, and this pipeline has none"),
    ],
)
def test_an_input_that_does_not_fit_is_refused(
    pipeline: str, text: str | None, says: str, engine: Any, tmp_path: Path
) -> None:
    (tmp_path / "pipeline.yaml").write_text(pipeline)
    if text is not None:
        (tmp_path / "in.json").write_text(text)
    done = engine("run", "pipeline.yaml", "--input", "in.json")
    assert done.returncode == 2
    assert says in done.stderr


NOT_FED = "so it got one empty document; feed it with --input FILE"


@pytest.mark.parametrize(
    "pipeline",
    [
        SHAPE,
        "snaps: {one: {snap: Mapper, mappings: {$b: 1}}, two: {snap: Filter, filter: $a > 1}}\n"
        "links: [one -> two]",
        "parameters: {token: {secret: true, default: abc}}\n"
        "snaps: {check: {snap: Filter, filter: $a == _token}}",
    ],
)
def test_a_field_missing_in_an_input_that_was_not_fed_says_how_to_feed_it(
    pipeline: str, engine: Any, tmp_path: Path
) -> None:
    (tmp_path / "pipeline.yaml").write_text(pipeline)
    for options in ([], ["--quiet"]):
        assert NOT_FED in engine("run", "pipeline.yaml", *options).stderr.splitlines()[-1]
    fed = engine("run", "pipeline.yaml", "--input", "-", input="{}")
    assert fed.returncode == 1
    assert "--input" not in fed.stderr


@pytest.mark.parametrize(
    "pipeline",
    [
        "snaps: {one: {snap: Mapper, mappings: {$b: parseInt('x').toFixed(-1)}}}",
        "snaps:\n  make: {snap: JSONGenerator, documents: [{}]}\n"
        "  one: {snap: Mapper, mappings: {$b: $a}}\n  open: {snap: Filter, filter: 'true'}\n"
        "links: [make -> one]",
    ],
)
def test_a_failure_that_input_would_not_change_does_not_ask_for_it(
    pipeline: str, engine: Any, tmp_path: Path
) -> None:
    (tmp_path / "pipeline.yaml").write_text(pipeline)
    done = engine("run", "pipeline.yaml")
    assert done.returncode == 1
    assert "--input" not in done.stderr


def test_an_input_that_was_not_fed_among_several_is_named(engine: Any, tmp_path: Path) -> None:
    pipeline = (
        "snaps: {one: {snap: Filter, filter: 'true'}, two: {snap: Mapper, mappings: {$b: $a}}}"
    )
    (tmp_path / "pipeline.yaml").write_text(pipeline)
    says = "the open input 'two.input' was not fed, so it got one empty document; link it to a snap"
    assert says in engine("run", "pipeline.yaml").stderr


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1}\n{"a" 2}', "--input 'in.json': cannot parse the stream as JSON"),
        ('{"a": 1} [1]', "element 1 of the array cannot become a document"),
        ("", "cannot parse the stream as JSON: it is empty"),
    ],
)
def test_an_input_that_goes_wrong_fails_the_run(
    text: str, says: str, engine: Any, tmp_path: Path
) -> None:
    (tmp_path / "shape.yaml").write_text(SHAPE)
    (tmp_path / "in.json").write_text(text)
    done = engine("run", "shape.yaml", "--input", "in.json")
    assert done.returncode == 1
    assert says in done.stderr


def test_an_input_is_read_as_it_comes(tmp_path: Path) -> None:
    (tmp_path / "shape.yaml").write_text(SHAPE)
    command = [sys.executable, "-m", "engine", "run", "shape.yaml", "--input", "-"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdin=pipe, stderr=pipe) as process:
        assert process.stdin
        assert process.stderr
        process.stdin.write(b'{"a": 1}\n{"c": 1}\n')
        process.stdin.flush()
        assert process.wait(240) == 1  # though the input has not ended
        assert b"on document 2" in process.stderr.read()


def test_a_pipe_gets_each_document_while_the_input_is_still_open(tmp_path: Path) -> None:
    (tmp_path / "shape.yaml").write_text(SHAPE)
    command = [sys.executable, "-m", "engine", "run", "shape.yaml", "--input", "-", "--quiet"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=tmp_path, stdin=pipe, stdout=pipe) as process:
        assert process.stdin
        assert process.stdout
        for number in range(2):
            process.stdin.write(b'{"a": %d}\n' % number)
            process.stdin.flush()
            assert process.stdout.readline() == b'{"b":%d}\n' % number


def test_run_refuses_a_task_file(engine: Any, tmp_path: Path) -> None:
    (tmp_path / "pipeline.yaml").write_text(SHAPE)
    (tmp_path / "task.yaml").write_text("type: ultra\npipeline: pipeline.yaml\n")
    done = engine("run", "task.yaml")
    assert done.returncode == 2
    assert "is a task file; host it with: engine serve task.yaml" in done.stderr
