"""Task files for tests, and what is read from them."""

from pathlib import Path

from engine.tasks.definition.task import Task
from engine.tasks.definition.task_file import TaskFile, load_task, parse_task

LEAST = "type: ultra\npipeline: p.yaml\n"
SCHEDULED = "type: scheduled\npipeline: p.yaml\n"
PIPELINE = """\
parameters:
  token: {required: true, secret: true, description: callers send it}
  model: m.json
snaps:
  a: {snap: Mapper, mappings: {$a: _token + _model}}
"""


def task_of(text: str, environment: dict[str, str] | None = None) -> Task:
    file = parse_task(text, "tasks/digits.yaml", environment or {})
    assert file.problems == ()
    assert file.task is not None
    return file.task


def problem_in(text: str, environment: dict[str, str] | None = None) -> str:
    file = parse_task(text, "digits.yaml", environment or {})
    assert file.task is None
    assert len(file.problems) == 1, "\n".join(map(str, file.problems))
    return str(file.problems[0])


def codes(text: str) -> list[str]:
    return [problem.code for problem in parse_task(text, "digits.yaml", {}).problems]


def written(
    folder: Path,
    task: str,
    pipeline: str = PIPELINE,
    environment: dict[str, str] | None = None,
) -> TaskFile:
    (folder / "p.yaml").write_text(pipeline)
    (folder / "digits.yaml").write_text(task)
    return load_task(folder / "digits.yaml", environment or {"TOKEN": "from outside"})
