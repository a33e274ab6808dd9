"""Writes what leaves the pipeline to standard output.

A single open output is written as it is: one document per line, a binary stream byte for byte. With
several outputs each line is an object whose first field names the output.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from typing import Any, Protocol, TextIO

import msgspec

from engine.documents import Item, StreamEnd, StreamStart
from engine.late_regex import late_regex
from engine.plan.plan import Port
from engine.run.open_outputs import encoded
from engine.run.secrets import Secrets
from engine.sdk import prettified, to_json, to_json_lines
from engine.visible import visible, visible_json

MAX_SHOWN_LENGTH = 200
"""Characters of one value that are shown on a terminal; a model in base64 has millions."""

NAME_FIELD = "$output"
"""The field that names the output of a document if the pipeline has several."""

_BINARY = late_regex(rb"[\x00-\x08\x0e-\x1f]")


class OutputWriter(Protocol):
    """Writes what leaves through the open outputs, batch by batch; a batch is not empty."""

    def write(self, port: Port, items: Sequence[Item]) -> None: ...

    def end(self) -> None:
        """End of all outputs: write what is still buffered."""
        ...


class PipedOutputs:
    """For programs: JSON lines and bytes."""

    def __init__(self, out: TextIO, secrets: Secrets, *, named: bool) -> None:
        self._out = out
        buffer = getattr(out, "buffer", None)
        self._write: Callable[[bytes], Any] = buffer.write if buffer else self._write_as_text
        self._secrets = secrets
        self._named = named
        self._last = b""

    def write(self, port: Port, items: Sequence[Item]) -> None:
        if isinstance(items[0], dict):
            self._write_documents(port, items)
        elif self._named:
            self._write_named_pieces(port, items)
        else:
            self._write_pieces(items)

    def _write_documents(self, port: Port, documents: Sequence[Item]) -> None:
        masked = [self._secrets.mask(document) for document in documents]
        lines = to_json_lines(masked)
        if lines is not None:
            self._write(self._lines(port, lines))
            return
        for document in masked:  # those before the one that cannot be written
            self._write(self._lines(port, encoded(port, document) + b"\n"))

    def _lines(self, port: Port, documents: bytes) -> bytes:
        """Documents as lines of JSON, with the name of the output if there are several."""
        return _named(str(port), documents) if self._named else documents

    def _write_pieces(self, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, bytes):
                self._last = self._secrets.mask_bytes(item)
                self._write(self._last)
            elif isinstance(item, StreamStart):
                if _is_text_without_line_end(self._last):  # keeps two JSON texts apart
                    self._write(b"\n")
                self._last = b""

    def end(self) -> None:
        self._out.flush()

    def _write_named_pieces(self, port: Port, items: Sequence[Item]) -> None:
        for item in items:
            if isinstance(item, bytes):
                form, text = _piece(self._secrets.mask_bytes(item))
                line = msgspec.json.encode({NAME_FIELD: str(port), form: text})
                self._write(line + b"\n")

    def _write_as_text(self, data: bytes) -> None:
        self._out.write(data.decode(errors="replace"))


class TerminalOutputs:
    """For people: documents on several lines, cut to a readable length.

    `write_lines` gets complete lines, `write_json` the JSON text of a document.
    """

    def __init__(
        self,
        write_lines: Callable[[str], None],
        write_json: Callable[[str], None],
        secrets: Secrets,
        *,
        named: bool,
    ) -> None:
        self._write_lines = write_lines
        self._write_json = write_json
        self._secrets = secrets
        self._named = named
        self._shown: Port | None = None
        self._partial = ""

    def write(self, port: Port, items: Sequence[Item]) -> None:
        if self._named and port != self._shown:
            self.end()
            self._write_lines(f"[{port}]")
            self._shown = port
        for item in items:
            if isinstance(item, bytes):
                self._write_text(self._secrets.mask_bytes(item).decode(errors="replace"))
            elif isinstance(item, StreamStart):
                self.end()
            elif not isinstance(item, StreamEnd):
                self._write_json(_pretty(port, self._secrets.mask(item)))

    def end(self) -> None:
        """Finish the last line, so that nothing is appended to it."""
        if self._partial:
            self._write_text("\n")

    def _write_text(self, text: str) -> None:
        """Only complete lines can be written above the table that is redrawn."""
        complete, newline, self._partial = (self._partial + text).rpartition("\n")
        if newline:
            self._write_lines(visible(complete))


def _is_text_without_line_end(end: bytes) -> bool:
    """Whether a stream that ended with these bytes looks like text whose last line is open."""
    return bool(end) and not end.endswith(b"\n") and not _BINARY.search(end)


def _named(output: str, lines: bytes) -> bytes:
    """Lines of JSON objects with the output's name as the first field of each."""
    name = msgspec.json.encode({NAME_FIELD: output})[:-1]
    named = (b"\n" + lines).replace(b"\n{", b"\n" + name + b",")
    return named[1:].replace(name + b",}", name + b"}")  # an empty document


def _piece(data: bytes) -> tuple[str, str]:
    """A piece of a stream for a JSON line: as text if it is valid UTF-8."""
    try:
        return "text", data.decode()
    except UnicodeDecodeError:
        return "base64", base64.b64encode(data).decode()


def _pretty(port: Port, document: Any) -> str:
    encoded(port, document)  # as it would be refused in a pipe
    return readable(document)


def readable(document: Any) -> str:
    """JSON on several lines, with long strings and bytes cut."""
    return visible_json(prettified(to_json(_shortened(document))).decode())


def _shortened(value: Any) -> Any:
    """The value with long strings and bytes cut."""
    if isinstance(value, str) and len(value) > MAX_SHOWN_LENGTH:
        return f"{value[:MAX_SHOWN_LENGTH]}… ({len(value):,} characters)"
    if isinstance(value, bytes):
        return f"{value[:40]!r}… ({len(value):,} bytes)" if len(value) > 40 else repr(value)
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    return value
