"""The expression libraries that a pipeline imports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.expressions import analyse, library_members
from engine.pipeline.load import MAX_BYTES
from engine.pipeline.spec import LibrarySpec
from engine.pipeline.text import Text
from engine.plan.collector import ProblemCollector
from engine.plan.folders import is_file, local_path
from engine.plan.plan import Library
from engine.sdk.settings import nearest_hint, shown


def read_libraries(collector: ProblemCollector, folder: str, project: str) -> Iterator[Library]:
    """Each library with its text; one that cannot be read is reported and has no text."""
    for spec in collector.spec.libraries:
        text = _read(spec, collector, local_path(spec.file, folder, project))
        if text is not None:
            _check(spec, text, collector)
        yield Library(spec.name, spec.file, text or "")


def _read(spec: LibrarySpec, collector: ProblemCollector, path: Path | None) -> str | None:
    if path is None:
        message = f"the library {shown(spec.file)} is not a local file"
        collector.report("missing-file", spec.where, message, "copy it next to the pipeline file")
        return None
    if not is_file(path):
        hint = f"full path: {shown(str(path), limit=500)}"
        collector.report("missing-file", spec.where, f"there is no file {shown(spec.file)}", hint)
        return None
    try:
        if path.stat().st_size <= MAX_BYTES:
            return path.read_text("utf-8-sig")
        reason = f"it is larger than {MAX_BYTES // 1024**2} MiB"
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    message = f"cannot read the library {shown(spec.file)}: {reason}"
    collector.report(
        "library-error", spec.where, message, "name a file that contains one expression"
    )
    return None


def _check(spec: LibrarySpec, text: str, collector: ProblemCollector) -> None:
    lines = Text.of(spec.file, text)
    known = [library.name for library in collector.spec.libraries]
    found = analyse(text, [parameter.name for parameter in collector.spec.parameters])
    for error in found.errors:
        where = lines.at_index(error.offset, error.length)
        collector.report("library-error", where, error.message, error.hint)
    if found.errors:
        return
    for name, offset in found.libraries.items():
        if name not in known:
            hint = nearest_hint(name, known) or "add it to 'libraries:' of the pipeline"
            where = lines.at_index(offset, len(f"lib.{name}"))
            collector.report("library-error", where, f"there is no library `{name}`", hint)
    members = library_members(text)
    if members is not None:
        collector.library_members[spec.name] = members
