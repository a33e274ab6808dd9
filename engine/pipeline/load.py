"""Load a pipeline file as a PipelineSpec that also holds its problems."""

from __future__ import annotations

from pathlib import Path

from engine.errors import ConfigurationError, Problem
from engine.late_regex import late_regex
from engine.locations import Location
from engine.pipeline.compose import compose
from engine.pipeline.nodes import Table
from engine.pipeline.shape import shape
from engine.pipeline.source import Source
from engine.pipeline.spec import PipelineSpec
from engine.pipeline.text import Text
from engine.sdk.near_files import nearest_path

MAX_BYTES = 10 * 1024 * 1024
_EXPORT_KEYS = frozenset(["snap_map", "link_map", "property_map", "render_map"])
# Written as what it matches: with the complement compiling takes twenty times as long.
_NOT_TEXT = late_regex(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\ud800-\udfff\ufeff\ufffe\uffff]"
)
_NOT_ASCII_TEXT = late_regex("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")


def load(path: str | Path) -> PipelineSpec:
    """The pipeline of a file. Raises ConfigurationError if the file cannot be opened."""
    return parse(read(path, "pipeline file"), str(path))


def parse(text: str | bytes, path: str = "pipeline.yaml") -> PipelineSpec:
    """The pipeline in a string; all its mistakes are in `problems`. Raises nothing."""
    return spec_from(*compose_text(text, path))


def spec_from(source: Source, problems: list[Problem]) -> PipelineSpec:
    """The pipeline in a text that has been composed, with `problems`."""
    if is_platform_export(source):
        source, problems = Source(source.text), [_export(source.text)]
    return _spec(source, problems)


def parse_imported(text: str, path: str) -> PipelineSpec:
    """The pipeline in the YAML of an export; `path` is that of the export."""
    return _spec(*compose_text(text, path))


def _spec(source: Source, problems: list[Problem]) -> PipelineSpec:
    if source.root is None:
        problems = problems or [_empty(source.text)]
        path = source.text.path
        return PipelineSpec(Path(path).stem, path, source, problems=tuple(problems))
    return shape(source, problems)


def read(path: str | Path, what: str, limit: int = MAX_BYTES) -> bytes:
    """The bytes of a user's file, cut after `limit` + 1.

    Raises ConfigurationError, which calls the file `what`, if it cannot be opened.
    """
    try:
        with Path(path).open("rb") as file:
            return file.read(limit + 1)
    except FileNotFoundError:
        near = nearest_path(Path(path))
        hint = "" if near is None else f"; did you mean '{near}'?"
        raise ConfigurationError(f"there is no {what} '{path}'{hint}") from None
    except IsADirectoryError:
        raise ConfigurationError(f"'{path}' is a folder, not a {what}") from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise ConfigurationError(f"cannot read the {what} '{path}': {reason}") from None


def compose_text(text: str | bytes, path: str) -> tuple[Source, list[Problem]]:
    """The nodes of a text and its problems; there is no root if nothing could be read."""
    decoded, problem = _decoded(text, path)
    problem = problem or _unreadable(decoded)
    if problem:
        return Source(decoded), [problem]
    root, problems, lost = compose(decoded)
    return Source(decoded, root, lost), problems


def is_platform_export(source: Source) -> bool:
    """Whether the file is a pipeline that SnapLogic exported (.slp), not one of ours."""
    keys = source.root.entries.keys() if isinstance(source.root, Table) else ()
    is_named_so = source.text.path.lower().endswith(".slp")
    return "snaps" not in keys and (is_named_so or len(_EXPORT_KEYS.intersection(keys)) > 1)


def _export(text: Text) -> Problem:
    message = "this is a pipeline exported from SnapLogic (.slp), not a YAML file"
    hint = f"import it: engine import {Path(text.path).name} -o FOLDER"
    return Problem("platform-export", Location(text.path), message, hint)


def _decoded(text: str | bytes, path: str) -> tuple[Text, Problem | None]:
    if isinstance(text, str):
        return Text.of(path, text.removeprefix("\ufeff")), None
    if len(text) > MAX_BYTES:
        empty = Text.of(path, "")
        message = f"the file is larger than {MAX_BYTES // 1024**2} MiB"
        hint = "keep data in a file of its own and read it with a snap"
        return empty, Problem("too-large", empty.at(0, 0), message, hint)
    try:
        return Text.of(path, text.decode("utf-8-sig")), None
    except UnicodeDecodeError as error:
        readable = Text.of(path, text.decode("latin-1"))
        message = f"the file is not UTF-8 text: byte 0x{text[error.start]:02x} cannot be read"
        hint = "save the file as UTF-8"
        return readable, Problem("bad-encoding", readable.at_index(error.start), message, hint)


def _unreadable(text: Text) -> Problem | None:
    found = (_NOT_ASCII_TEXT if text.whole.isascii() else _NOT_TEXT).search(text.whole)
    if found is None:
        return None
    message = f"the file has a control character, U+{ord(found[0]):04X}; it may not be a text file"
    hint = "remove it, or write it as an escape in double quotes"
    return Problem("bad-encoding", text.at_index(found.start()), message, hint)


def _empty(text: Text) -> Problem:
    hint = "a pipeline needs at least 'snaps:'"
    return Problem("empty-file", Location(text.path), "the file contains no pipeline", hint)
