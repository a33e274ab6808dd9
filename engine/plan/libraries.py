"""The expression libraries that a pipeline imports."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from engine.expressions import analyse, library_members
from engine.pipeline.load import MOST_BYTES
from engine.pipeline.spec import LibrarySpec
from engine.pipeline.text import Text
from engine.plan.findings import Findings
from engine.plan.folders import is_file, local_path
from engine.plan.plan import Library
from engine.sdk.settings import nearest_hint, shown


def read_libraries(findings: Findings, folder: str, project: str) -> Iterator[Library]:
    """Each library with its text; one that cannot be read is reported and has no text."""
    for spec in findings.spec.libraries:
        text = _read(spec, findings, local_path(spec.file, folder, project))
        if text is not None:
            _check(spec, text, findings)
        yield Library(spec.name, spec.file, text or "")


def _read(spec: LibrarySpec, findings: Findings, path: Path | None) -> str | None:
    if path is None:
        message = f"the library {shown(spec.file)} is not a file on this machine"
        findings.report("missing-file", spec.where, message, "copy it beside the pipeline file")
        return None
    if not is_file(path):
        hint = f"it was looked for at {shown(str(path), limit=500)}"
        findings.report("missing-file", spec.where, f"there is no file {shown(spec.file)}", hint)
        return None
    try:
        if path.stat().st_size <= MOST_BYTES:
            return path.read_text("utf-8-sig")
        reason = f"it has more than {MOST_BYTES // 1024**2} MiB"
    except OSError as error:
        reason = error.strerror or str(error)
    except UnicodeDecodeError:
        reason = "it is not UTF-8 text"
    message = f"the library {shown(spec.file)} cannot be read: {reason}"
    findings.report("library-error", spec.where, message, "name a file with an expression in it")
    return None


def _check(spec: LibrarySpec, text: str, findings: Findings) -> None:
    lines = Text.of(spec.file, text)
    known = [library.name for library in findings.spec.libraries]
    found = analyse(text, [parameter.name for parameter in findings.spec.parameters])
    for error in found.errors:
        where = lines.at_index(error.offset, error.length)
        findings.report("library-error", where, error.message, error.hint)
    if found.errors:
        return
    for name, offset in found.libraries.items():
        if name not in known:
            hint = nearest_hint(name, known) or "import it among the libraries of the pipeline"
            where = lines.at_index(offset, len(f"lib.{name}"))
            findings.report("library-error", where, f"there is no library `{name}`", hint)
    members = library_members(text)
    if members is not None:
        findings.library_members[spec.name] = members
