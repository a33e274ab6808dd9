"""`engine new`: write the files of a pipeline, snap, task, test or project that work at once."""

from __future__ import annotations

import argparse
import json
import keyword
import os
import re
import shlex
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any, NamedTuple

from engine import api
from engine.cli.scaffold import (
    SCHEMAS,
    NewFile,
    Project,
    files_of,
    filled,
    module_name,
    stored_name,
    title,
    write_new,
)
from engine.errors import ConfigurationError
from engine.expressions import paths_read
from engine.pipeline.case_files import is_test_file
from engine.registry import discover
from engine.registry.files import folded, snake_case
from engine.schema import KINDS, schema_file, schema_text
from engine.sdk.settings import Expression, Settings, expressions_in

_EXTENSION = ".yaml"
_TESTS = ".test.yaml"
_EACH_CALL = (
    "Each call runs the pipeline once; query parameters such as ?threshold=20 become its parameters"
)
_EACH_REQUEST = "The pipeline stays open: each request is a document, with its body as $content"


class _Made(NamedTuple):
    """New files, and the commands that come next."""

    files: Sequence[NewFile]
    next: Sequence[str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("kind", choices=tuple(_KINDS), metavar="KIND", help=f"{_kinds()}")
    parser.add_argument(
        "name",
        metavar="NAME",
        help="its name, optionally with a folder; for a test, the pipeline file to be tested",
    )


def run(arguments: argparse.Namespace) -> int:
    """0 if the files were written; an existing file is never overwritten."""
    made = _KINDS[arguments.kind](arguments.name)
    write_new(made.files)
    for file in made.files:
        print(f"created {file.path}")
    print("\nNext:", *made.next, *_commands_for_tests(made.files, arguments.kind), sep="\n  ")
    return 0


def _commands_for_tests(files: Sequence[NewFile], kind: str) -> list[str]:
    if kind == "project":
        return ["engine test", *_pytest()]
    tests = [file.path for file in files if file.path.name.startswith("test_")]
    commands = [_engine("test", file.path) for file in files if is_test_file(file.path)]
    return [*commands, *_pytest(*map(str, tests))] if tests else commands


def _pytest(*paths: str) -> list[str]:
    """How to run tests in Python; the engine does not install pytest."""
    install = [] if find_spec("pytest") else ["python -m pip install pytest"]
    return [*install, shlex.join(["python", "-m", "pytest", *paths])]


def _pipeline(given: str) -> _Made:
    folder, name = _file_name(given, "pipelines")
    return _Made(_pipeline_files(folder, name), [_engine("run", folder / f"{name}{_EXTENSION}")])


def _pipeline_files(folder: Path, name: str) -> list[NewFile]:
    head = Project(folder).schema_line("pipeline", folder)
    text = filled("pipeline/new_name.yaml", {"New name": title(name)})
    tests = filled("pipeline/new_name.test.yaml", {})
    return [
        NewFile(folder / f"{name}{_EXTENSION}", head + text),
        NewFile(folder / f"{name}{_TESTS}", Project(folder).schema_line("test", folder) + tests),
    ]


def _task(named: str) -> _Made:
    """A task that hosts the pipeline of the same name, which is made if there is none."""
    folder, name = _file_name(named, "tasks")
    pipelines = Project(Path()).folder("pipelines")
    is_apart = pipelines.resolve() != folder.resolve()
    pipeline = pipelines / f"{name if is_apart else f'{name}_pipeline'}{_EXTENSION}"
    task, tests = folder / f"{name}{_EXTENSION}", _tests(folder)
    given = _input_of(pipeline)
    names = {"new_pipeline.yaml": _relative(pipeline, folder)}
    if given.reads_requests:
        names |= {_EACH_CALL: _EACH_REQUEST, "type: triggered": "type: ultra"}
    names[" such as ?threshold=20"] = _query_example(pipeline)
    text = filled("task/new_name.yaml", names)
    test = filled("task/test_new_name_task.py", _names(tests, task))
    head = Project(folder).schema_line("task", folder)
    files = [NewFile(task, head + text), NewFile(tests / f"test_{module_name(name)}_task.py", test)]
    if not pipeline.exists():
        files += _pipeline_files(pipelines, pipeline.stem)
    call = f"curl{given.options} http://127.0.0.1:8080/tasks/{name}"
    return _Made(files, [_engine("serve", task), f"{call}   # in another terminal"])


def _query_example(pipeline: Path) -> str:
    """How a caller gives the first parameter of the pipeline; empty if it has none."""
    if not pipeline.exists():
        return " such as ?threshold=20"  # as in the new pipeline
    names: list[str] = []
    with suppress(ConfigurationError):  # a pipeline with mistakes can have a task, too
        names = [spec.name for spec in api.load(pipeline).parameters if not spec.secret]
    return f" such as ?{names[0]}=VALUE" if names else ""


class _Input(NamedTuple):
    """How the pipeline of a task gets its documents: curl's options for one, and whether it reads
    requests, as that of an ultra task does, and not their bodies."""

    options: str = ""
    reads_requests: bool = False


def _input_of(pipeline: Path) -> _Input:
    """That of the only open input; that of a pipeline without one if it has mistakes, too."""
    if not pipeline.exists():
        return _Input()
    with suppress(ConfigurationError):
        plan = api.compile_plan(pipeline)
        if len(plan.open_inputs) == 1:
            port = plan.open_inputs[0]
            if plan.takes_binary(port):
                return _Input(" --data-binary @FILE")
            paths = _paths_read(plan.snap(port.label).settings)
            requests = any(path[0] == "content" for path in paths)
            if requests:
                paths = {path[1:] for path in paths if path[0] == "content"} - {()}
            return _Input(f" -d {shlex.quote(json.dumps(_example(paths)))}", requests)
    return _Input()


def _paths_read(settings: Settings) -> set[tuple[str, ...]]:
    found: set[tuple[str, ...]] = set()
    for _, item in expressions_in(settings):
        if isinstance(item, Expression):
            found |= paths_read(item.text) or set()
    return found


def _example(paths: Iterable[tuple[str, ...]]) -> dict[str, Any]:
    """A document that has a value at each path."""
    document: dict[str, Any] = {}
    for *above, last in sorted(paths, key=lambda path: (-len(path), path)):
        place = document
        for name in above:
            place = place.setdefault(name, {})
        place.setdefault(last, "VALUE")
    return document


def _test(given: str) -> _Made:
    pipeline = Path(given)
    api.compile_plan(pipeline)  # raises for a pipeline with mistakes
    codes = ", ".join(sorted(problem.code for problem in api.check(pipeline)))
    names = {"new_name.yaml": pipeline.name, "[codes]": f"[{codes}]"}
    head = Project(pipeline.parent).schema_line("test", pipeline.parent)
    text = head + filled("test/new_name.test.yaml", names)
    return _Made([NewFile(pipeline.with_name(f"{pipeline.stem}{_TESTS}"), text)], [])


def _snap(given: str) -> _Made:
    folder, _, name = given.rpartition("/")
    name = name.removesuffix(".py")
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
        raise ConfigurationError(
            f"{name!r} is not a name for a snap; write it as a class: letters and digits, such as "
            "WordCount"
        )
    if not name[:1].isupper() or "_" in name:
        name = "".join(f"{part[:1].upper()}{part[1:]}" for part in name.split("_"))
    module = snake_case(name)
    package = "" if folder else Project(Path()).snap_package()
    home = Path(folder) if folder else Project(Path()).folder(package) if package else Path()
    _refuse_taken(name, module, in_package=bool(package))
    tests = _tests(home)
    names = {"NewName": name, "new_name": f"{package}.{module}" if package else module}
    files = [
        NewFile(home / f"{module}.py", filled("snap/new_name.py", {"NewName": name})),
        NewFile(tests / f"test_{module}.py", filled("snap/test_new_name.py", names)),
    ]
    return _Made(files, _after_snap(name, installable=bool(package)))


def _refuse_taken(name: str, module: str, *, in_package: bool) -> None:
    taken = next((each for each in discover() if folded(each) == folded(name)), "")
    if taken:
        raise ConfigurationError(f"there is already a snap called {taken!r}; choose another name")
    if keyword.iskeyword(module) or (not in_package and module in sys.stdlib_module_names):
        raise ConfigurationError(
            f"a snap called {name!r} would be in {module}.py, which is a name of Python's own; "
            "choose another name"
        )


def _after_snap(name: str, *, installable: bool) -> list[str]:
    if installable:
        install = f"python -m pip install --editable .   # once: then pipelines find 'snap: {name}'"
        describe = f"engine schema --all {SCHEMAS}   # then editors know its settings"
        return [install, *([describe] if Project(Path()).has_schemas() else [])]
    return ["engine new project NAME   # a package, in which pipelines find your snaps by name"]


def _project(given: str) -> _Made:
    root = Path(given)
    name = root.absolute().resolve().name  # `.` is the current folder
    module = module_name(name)
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_-]*", name) or keyword.iskeyword(module):
        raise ConfigurationError(
            f"{name!r} is not a name for a project; begin with a letter, and use letters, "
            "digits, '-' and '_'"
        )
    if root.is_dir() and any(not each.name.startswith(".") for each in root.iterdir()):
        raise ConfigurationError(f"the folder {given!r} is not empty; choose another name")
    names = {"new_name": module, "new-name": module.replace("_", "-"), "New name": title(name)}
    files = [
        NewFile(root / _replaced(stored_name(path), names), filled(f"project/{path}", names))
        for path in files_of("project")
    ]
    registry = discover()
    files += [
        NewFile(root / SCHEMAS / schema_file(kind), schema_text(kind, registry)) for kind in KINDS
    ]
    enter = [] if root.resolve() == Path.cwd() else [f"cd {shlex.quote(given)}"]
    return _Made(files, [*enter, "engine run pipelines/orders.yaml"])


_KINDS: dict[str, Callable[[str], _Made]] = {
    "pipeline": _pipeline,
    "snap": _snap,
    "task": _task,
    "test": _test,
    "project": _project,
}


def _kinds() -> str:
    *others, last = _KINDS
    return f"{', '.join(others)} or {last}"


def _file_name(given: str, usual: str) -> tuple[Path, str]:
    """The folder and the name of a new YAML file; the usual folder of the project if none is given.

    Raises ConfigurationError for a name that a task could not have.
    """
    folder, slash, name = given.rpartition("/")
    name = re.sub(r"\.ya?ml$", "", name)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]*", name):
        raise ConfigurationError(
            f"{name!r} is not a valid name; use letters, digits, '-' and '_', such as large_orders"
        )
    return (Path(folder or "/") if slash else Project(Path()).folder(usual)), name


def _tests(folder: Path) -> Path:
    """Where tests go: the project's folder for them, else beside what they test."""
    return Path(os.path.normpath(folder / Project(folder).folder("tests")))


def _names(tests: Path, tested: Path) -> dict[str, str]:
    """What a test says about the file that it tests; it finds it relative to itself."""
    path = f'Path(__file__).parent / "{_relative(tested, tests)}"'
    return {
        'Path(__file__).parent / "new_name.yaml"': path,
        "new_name.yaml": tested.name,
        "new_name": tested.stem,
    }


def _relative(path: Path, folder: Path) -> str:
    return Path(os.path.relpath(path.absolute(), folder.absolute())).as_posix()


def _replaced(text: str, names: dict[str, str]) -> str:
    for name, value in names.items():
        text = text.replace(name, value)
    return text


def _engine(command: str, path: Path) -> str:
    return f"engine {command} {shlex.quote(str(path))}"
