"""Run a Python script over the documents, in a process of its own, here or on another host."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Literal

import msgspec

from engine.sdk import (
    Batch,
    ConfigurationError,
    DataError,
    Document,
    Emission,
    Evaluated,
    Example,
    ExecutionError,
    Foreign,
    Issue,
    Parallel,
    PythonCode,
    Script,
    ScriptSession,
    Settings,
    Snap,
    To,
    View,
    Views,
    setting,
    without_mark,
)
from snaps.script.shared.module_names import misnamed_modules
from snaps.script.shared.ordered_rows import OrderedRows
from snaps.script.shared.script_files import constraints_in, module_in, text_in
from snaps.script.shared.script_settings import (
    executor_issues,
    memory_limit,
    script_issues,
    variables,
)
from snaps.script.shared.script_texts import run_information, text_of
from snaps.script.shared.tracked_rows import TrackedRows

_BATCH_FUNCTION = "snaplogic_process_batch"
_ROW_FUNCTIONS = ("snaplogic_process", _BATCH_FUNCTION)
_CALLS = {
    "snaplogic_init": (),
    "snaplogic_process": ("row",),
    "snaplogic_process_batch": ("rows",),
    "snaplogic_final": (),
    "snaplogic_combine": ("documents",),
}
_CODE = PythonCode((), needs=_ROW_FUNCTIONS, calls=_CALLS, yields=("snaplogic_process",))


class RemotePythonScriptSettings(Settings):
    script: str = setting(
        default="",
        help="The script file, relative to the pipeline file. It defines "
        "`snaplogic_init()`, `snaplogic_process(row)` and `snaplogic_final()`; each returns None, "
        "a document, or a list of documents.",
        example="scripts/predict.py",
    )
    source: str = setting(default="", help="The source code of the script, instead of a file.")
    modules: tuple[str, ...] = setting(
        default=(),
        help="Python files, relative to the pipeline file, that the script can import by their "
        "names without `.py`. They travel with the script.",
        example=["scripts/mnist.py"],
    )
    requirements: tuple[str, ...] = setting(
        default=(),
        help="Libraries that the script needs, as pip requirements; installed before it starts.",
        example=["numpy>=1.26"],
    )
    constraints: str = setting(
        default="",
        help="A pip constraints file, relative to the pipeline file: libraries are installed in "
        "the versions that it names.",
        example="constraints.txt",
    )
    environment: str = setting(
        default="",
        help="Name of a Python environment to share with other scripts; they must not need "
        "different versions of a library. By default, the script has its own.",
    )
    install: Literal["install", "check", "refuse"] = setting(
        default="install",
        help="What to do about a missing requirement: `install` it, `check` (warn and go on), or "
        "`refuse` to run.",
    )
    timeout: float | None = setting(
        default=None,
        help="Time limit, in seconds, for one call into the script. By default, there is no limit.",
    )
    memory: int | str | None = setting(
        default=None,
        help="Memory limit for each process of the script. By default, there is no limit.",
        example="2GiB",
    )
    env: tuple[str, ...] = setting(
        default=(),
        help="Names of environment variables that the script may see, in addition to those that "
        "every script sees.",
        example=["WAREHOUSE_URL"],
    )
    exact: bool = setting(
        default=False,
        help="Whether numbers with a point or an exponent reach the script as `decimal.Decimal`, "
        "unchanged. By default, they are the nearest `float`.",
    )
    trusted: bool = setting(
        default=False,
        help="Whether `slt.decode` may make any object that a text names, which can run any code: "
        "only for texts that the script's author wrote. Scripts for SnapLogic may rely on it.",
    )
    copies: Literal["one", "any"] = setting(
        default="one",
        help="How many copies of the script `engine run --workers` may start. `any` says that what "
        "it does with a row does not depend on earlier rows. Every copy calls `snaplogic_init` and "
        "`snaplogic_final`; what the first returns counts once. If a copy is lost, another "
        "processes its unanswered rows again: see `SLTool.idempotency_key`.",
    )
    final: Literal["each", "once", "combined"] = setting(
        default="each",
        help="With several copies, whether what `snaplogic_final` returns is used for each of them "
        "or only `once`, for the first: for documents that do not depend on the rows of a copy. "
        "With `combined`, the documents of all copies, in a list, are given to "
        "`snaplogic_combine(documents)` in one of them, and what that returns is used.",
    )
    executor: str = setting(
        default="",
        help="`host:port` of an `engine executor` that runs the script. By default, it runs on "
        "this machine.",
        example="gpu-host:5301",
    )
    token: Evaluated[str] = setting(
        default=Evaluated(value=""),
        help="The executor's token, preferably from a secret parameter.",
        example="= _executor_token",
    )


class RemotePythonScript(Snap[RemotePythonScriptSettings]):
    since = "0.1.0"
    about = """
    The script defines `snaplogic_init()`, `snaplogic_process(row)` and `snaplogic_final()`; each
    returns nothing, a dictionary or a list of dictionaries. It runs in its own environment, into
    which `requirements` and `SLTool.ensure` install. See docs/remote-python.md for details.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-mlcore-remotepythonscript",
        "Remote Python Script",
        settings={"editable_content": "source"},
        files={"editable_content": "script"},
        version=1,
    )
    views = Views(
        inputs=(
            View("input", unlinked="nothing", takes_json_text=True),
            View("script", unlinked="nothing", read_first=True, optional=True),
        ),
        outputs=(View("output"), View("stdout", optional=True)),
    )
    single = True
    replayable = False
    blocking = True
    flows = True
    hurries = True
    plain = True
    changes_input = False
    shares_output = False
    loses_lineage = ""
    examples = (
        Example(
            "one document in, one out",
            settings={
                "source": "def snaplogic_init():\n    return None\n\n"
                "def snaplogic_process(row):\n    return {'twice': 2 * row['n']}\n\n"
                "def snaplogic_final():\n    return {'done': True}\n"
            },
            given=[{"n": 1}, {"n": 4}],
            expect=[{"twice": 2}, {"twice": 8}, {"done": True}],
        ),
    )

    @classmethod
    def check(cls, settings: RemotePythonScriptSettings) -> Iterable[Issue]:
        yield from script_issues(
            settings.script, settings.source, settings.timeout, settings.memory
        )
        if settings.trusted:
            yield Issue(
                ("trusted",),
                "with trusted, slt.decode runs any code that a document names",
                "remove it unless every document that the script decodes comes from your own "
                "pipelines",
                code="unclear-setting",
                severity="warning",
            )
        yield from executor_issues(settings.executor)
        yield from misnamed_modules(settings.modules)

    @classmethod
    def parallel_for(cls, settings: RemotePythonScriptSettings) -> Parallel:
        return settings.copies

    @classmethod
    def final_for(cls, settings: RemotePythonScriptSettings) -> str:
        return settings.final

    @classmethod
    def files_needed(
        cls, settings: RemotePythonScriptSettings
    ) -> Iterable[tuple[tuple[str | int, ...], str]]:
        if settings.script:
            yield ("script",), settings.script
        if settings.constraints:
            yield ("constraints",), settings.constraints
        for place, file in enumerate(settings.modules):
            yield ("modules", place), file

    @classmethod
    def python_code(cls, settings: RemotePythonScriptSettings) -> Iterable[PythonCode]:
        if settings.script:
            yield msgspec.structs.replace(_CODE, path=("script",), file=settings.script)
        elif settings.source:
            yield msgspec.structs.replace(_CODE, path=("source",), text=settings.source)
        for place, file in enumerate(settings.modules):
            yield PythonCode(("modules", place), file=file)

    def open(self) -> None:
        self._session: ScriptSession | None = None
        self._printed: list[str] = []
        self._script_linked = self.context.linked("script")
        self._stdout_linked = self.context.linked("stdout")
        self._script = self._planned_script("" if self._script_linked else self._own_source())
        self._tracked = (
            TrackedRows(self.context, self._script.name) if self.context.in_ultra else None
        )
        if self._tracked is not None and self.settings.final == "combined":
            raise ConfigurationError(
                "final: combined is for runs that end, not for an ultra task: remove it"
            )
        self._ordered = OrderedRows(self.context, self._script.name)
        self._takes_batches = False
        if not self._script_linked:
            self._session = self._opened(self._script)
            self._session.connect()

    def start(self) -> Iterator[Document | To]:
        if not self._script_linked:
            yield from self._begin(self._script)

    def process_batch(self, view: str, batch: Batch) -> Emission:
        if view == "script":
            return self._start_from(batch)
        return self._answered(batch)

    def _answered(self, batch: Batch) -> Iterator[Mapping[str, Batch]]:
        """The script's answers to the rows, each part as it arrives."""
        session, tracked = self._running(), self._tracked
        outputs = (
            self._ordered.outputs(batch.items, session)
            if tracked is None
            else tracked.outputs(batch, session, together=self._takes_batches)
        )
        for output in outputs:
            yield {} if output is None else self._with_lines(output)

    def _with_lines(self, output: Batch) -> Mapping[str, Batch]:
        """A batch for the output, together with what the script has printed in the meantime."""
        lines = self._new_lines()
        if not lines:
            return {"output": output}
        return {"output": output, "stdout": Batch([line.item for line in lines])}

    def finish(self) -> Iterator[Document | To]:
        session, tracked = self._running(), self._tracked
        try:
            if self.settings.final == "combined":
                finals = self.context.all_finals(session.finish())
                yield from () if finals is None else session.combine(finals)
            elif tracked is None:
                yield from session.finish()
            else:
                yield from tracked.last(session)
        except DataError:
            yield from self._new_lines()
            raise
        yield from self._new_lines()

    def close(self) -> None:
        if self._session is not None:
            self._session.close()

    def interrupt(self) -> None:
        if self._session is not None:
            self._session.interrupt()

    def _own_source(self) -> str:
        settings = self.settings
        if settings.source:
            _, line = self.context.place_of("source")
            return "\n" * (line - 1) + settings.source  # its lines are those of the pipeline file
        if not settings.script:
            raise ConfigurationError(
                "there is no script: set script (a file) or source (code), or link the view "
                "'script'"
            )
        return text_in(self.context, settings.script, "script")

    def _name(self) -> str:
        """The name of the script in messages."""
        if self.settings.script:
            return PurePath(self.settings.script).name
        file, line = self.context.place_of("source")
        if not self.settings.source or self._script_linked:
            return f"{self.context.label}.py"
        name = PurePath(file).name
        return name if line else f"{name}, source of '{self.context.label}'"

    def _begin(self, script: Script) -> Iterator[Document | To]:
        """Load the script, and emit its documents before its first row."""
        self._takes_batches = _BATCH_FUNCTION in script.source
        if self._session is None:
            self._session = self._opened(script)
        yield from self._session.start()
        yield from self._new_lines()

    def _opened(self, script: Script) -> ScriptSession:
        return self.context.scripts.open(script, self._print, self.context.fail)

    def _planned_script(self, source: str) -> Script:
        settings, context = self.settings, self.context
        file = context.files.locate(settings.script) if settings.script else ""
        pipeline = PurePath(context.place_of("source")[0]).name
        return Script(
            source=source,
            modules=tuple(module_in(context, file) for file in settings.modules),
            name=self._name(),
            folder=str(PurePath(file).parent) if file else context.folder,
            directory=context.folder,
            requirements=settings.requirements,
            constraints=constraints_in(context, settings.constraints),
            environment=settings.environment,
            owner=f"{context.label} in {PurePath(context.folder, pipeline)}",
            install=settings.install,
            timeout=settings.timeout,
            memory=memory_limit(settings.memory),
            variables=variables(settings.env),
            pipe=run_information(context),
            exact=settings.exact,
            marks=context.in_ultra,
            combines=settings.final == "combined",
            executor=settings.executor,
            token=context.value(settings.token, {}),
        )

    def _start_from(self, batch: Batch) -> Mapping[str, Batch]:
        """Start the script in the first document of the script view; ignore further ones."""
        self.context.dropped(len(batch), batch.lineage or ())
        if self._session is not None or not batch.items:
            return {}
        content = batch.items[0].get("content")
        if not isinstance(content, str | bytes):
            raise ExecutionError(
                "the field 'content' of the first document in the view 'script' must be a string; "
                f"the document's fields are: {', '.join(map(str, batch.items[0])) or 'none'}"
            )
        emitted: dict[str, Batch] = {}
        source = text_of(content, "the script in the field 'content'")
        for item in self._begin(msgspec.structs.replace(self._script, source=source)):
            name, document = ("stdout", item.item) if isinstance(item, To) else ("output", item)
            emitted.setdefault(name, Batch([])).items.append(document)
        return emitted

    def _running(self) -> ScriptSession:
        if self._session is None:
            raise ExecutionError("no script to run: the view 'script' received no document")
        return self._session

    def _print(self, marked: str) -> None:
        line, request_id = without_mark(marked)
        self.context.show(line, request_id)
        if self._stdout_linked:
            self._printed.append(line)

    def _new_lines(self) -> list[To]:
        """What the script has printed since the last call, for the view `stdout`."""
        count = len(self._printed)  # another thread may add lines in the meantime
        lines = self._printed[:count]
        del self._printed[:count]
        return [To("stdout", {"line": line}) for line in lines]
