"""`snaplogic.tool` for scripts: SLTool with the functions documented by SnapLogic."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from . import arrays, install, messages, tracker
from .rows import Ticket
from .safe_decoding import check_decodable, refuse_inflated

_TIMEOUT = 300.0
_chunk = [""]
"""The key of the chunk that the current rows belong to."""

_trusted: list[bool] = []
"""Not empty if the snap is `trusted`; a script's process has exactly one."""


class SLTool:
    """Helpers for Remote Python scripts; every function is static, as scripts use the class."""

    @staticmethod
    def execute(command: str, verbose: bool = False) -> str:
        """Run a command, split at spaces and without a shell; returns its output.

        Raises RuntimeError with the end of its output if its exit code is not 0.
        """
        done = subprocess.run(
            command.split(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            check=False,
        )
        if verbose:
            messages.say(done.stdout.rstrip("\n"))
        if done.returncode:
            raise RuntimeError(
                f"{command!r} exited with code {done.returncode}: {done.stdout[-2000:].strip()}"
            )
        return done.stdout

    @staticmethod
    def ensure(
        name: str, version: str | None = None, update: bool = False, verbose: bool = False
    ) -> str:
        """Make sure that a library is available; install it into the script's environment if not.

        Returns pip's output, empty if the library was available. A version too old for this Python
        is replaced by a newer one, with a warning. The snap's `install` setting says what is
        allowed.
        """
        return install.current().ensure(name, version, update, verbose)

    @staticmethod
    def get_random_path(tmp_root: str) -> str:
        """Create a new folder under `tmp_root` and return its path."""
        path = Path(tmp_root) / uuid.uuid4().hex
        path.mkdir(parents=True)
        return str(path)

    @staticmethod
    def encode(obj: Any) -> str:
        """An object as JSON text (jsonpickle), including arrays and data frames."""
        return json.dumps(_jsonpickle("", safe=True).pickler.Pickler().flatten(obj))

    @staticmethod
    def decode(text: str, safe: bool | None = None) -> Any:
        """The object in a text made by `encode`.

        Such a text can name any class and thus run any code. Unless `safe` is False, only plain
        data and numpy arrays of limited size are decoded, and ValueError is raised for anything
        else. By default, it is safe, unless the snap is set to `trusted`.
        """
        if safe is None:
            safe = not _trusted
        value = json.loads(text)
        if safe:
            check_decodable(value)
        unpickler = _jsonpickle(text, safe).unpickler
        decoded = unpickler.Unpickler(on_missing="error", safe=True).restore(value)
        if safe:
            refuse_inflated(decoded, text)
        return decoded

    @staticmethod
    def get_drop_doc() -> dict[str, str]:
        """The document that a script returns to drop a row."""
        return {"snaplogic_flag": "drop"}

    @staticmethod
    def idempotency_key() -> str:
        """What identifies the rows that the script is working on, to those outside that it tells
        about them: rows that come again, because a copy of the script was lost, have the same key.

        Empty unless the snap runs in several copies; then all rows of a chunk have the same key.
        """
        return _chunk[0]

    @staticmethod
    def answer(row: Any, document: dict[str, Any]) -> dict[str, Any]:
        """The document, marked as the answer to `row`: a kept row, or its ticket.

        A hook must return it. The mark has an effect in ultra tasks only.
        """
        if not isinstance(document, dict):
            raise TypeError(
                f"slt.answer needs one document, a dict, but got {type(document).__name__}; "
                "mark each document separately"
            )
        used = tracker.current()
        return document if used is None else used.answer(row, document)

    @staticmethod
    def ticket(row: Any) -> Ticket:
        """A stand-in for a row in `answer`; while it is kept, the row awaits its answer."""
        used = tracker.current()
        return Ticket(0) if used is None else used.ticket(row)

    @staticmethod
    def download_file(url: str, out_path: str) -> None:
        """Download a file; `out_path` appears only when the download is complete."""
        import urllib.request

        aside = Path(f"{out_path}.{uuid.uuid4().hex}.part")
        try:
            with (
                urllib.request.urlopen(url, timeout=_TIMEOUT) as response,
                aside.open("wb") as file,
            ):
                shutil.copyfileobj(response, file, 1 << 20)
            aside.replace(out_path)
        finally:
            aside.unlink(missing_ok=True)

    @staticmethod
    def ultra(url: str, token: str | None = None, data: Any = None, fmt: str = "json") -> Any:
        """POST `data` as JSON to an ultra task; returns JSON or text by `fmt`, otherwise bytes."""
        return _call(url, token, {} if data is None else data, fmt)

    @staticmethod
    def trigger(
        url: str,
        token: str | None = None,
        data: Any = None,
        params: dict[str, Any] | None = None,
        fmt: str = "json",
    ) -> Any:
        """Call a triggered task: POST with `data`, otherwise GET; `params` go into the URL."""
        if params:
            import urllib.parse

            mark = "&" if "?" in url else "?"
            url = f"{url}{mark}{urllib.parse.urlencode(params)}"
        return _call(url, token, data, fmt)


def set_chunk(key: str) -> None:
    """The rows from now on belong to this chunk."""
    _chunk[0] = key


def trust_documents() -> None:
    """Let `decode` make any object, unless the script asks it to be safe."""
    _trusted.append(True)


def _call(url: str, token: str | None, data: Any, fmt: str) -> Any:
    import urllib.request  # takes longer than most scripts need to start

    body = None if data is None else json.dumps(data).encode()
    request = urllib.request.Request(url, data=body, method="GET" if body is None else "POST")
    if body is not None:
        request.add_header("Content-Type", "application/json")
    if token:
        bare = token.removeprefix("Authorization:").strip().removeprefix("Bearer").strip()
        request.add_header("Authorization", f"Bearer {bare}")
    with urllib.request.urlopen(request, timeout=_TIMEOUT) as response:
        answer: bytes = response.read()
    if fmt == "json":
        return json.loads(answer)
    return answer.decode() if fmt == "text" else answer


def _jsonpickle(text: str, safe: bool) -> Any:
    """jsonpickle with handlers for the numeric libraries that are loaded or named in the text."""
    import jsonpickle

    for library in ("numpy", "pandas"):
        if library in sys.modules or (f'"{library}.' in text and install.is_there(library)):
            module = __import__(f"jsonpickle.ext.{library}", fromlist=["register_handlers"])
            module.register_handlers()
            if library == "numpy" and safe:
                arrays.register_arrays(arrays.Allowance(text))
    return jsonpickle
