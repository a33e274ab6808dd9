"""`snaplogic.tool` for scripts: SLTool with the functions that SnapLogic documents."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

from . import arrays, install, tracker
from .rows import Ticket
from .safe_decoding import refuse_inflated, refuse_strangers

_TIMEOUT = 300.0


class SLTool:
    """Helpers for Remote Python scripts; every function is static, as scripts use the class."""

    @staticmethod
    def execute(command: str, verbose: bool = False) -> str:
        """Run a command, split on blanks and without a shell; what it printed.

        Raises RuntimeError with the end of its output if it exits with anything but 0.
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
            install.say(done.stdout.rstrip("\n"))
        if done.returncode:
            raise RuntimeError(
                f"{command!r} ended with exit code {done.returncode}: {done.stdout[-2000:].strip()}"
            )
        return done.stdout

    @staticmethod
    def ensure(
        name: str, version: str | None = None, update: bool = False, verbose: bool = False
    ) -> str:
        """See to it that a library is there; install it into the script's environment if not.

        Gives what pip printed, nothing if the library was there. A version too old for this Python
        is replaced by a newer one, with a warning. `install` of the snap decides what may be done.
        """
        return install.current().ensure(name, version, update, verbose)

    @staticmethod
    def get_random_path(tmp_root: str) -> str:
        """Make a new folder under `tmp_root`; its path."""
        path = Path(tmp_root) / uuid.uuid4().hex
        path.mkdir(parents=True)
        return str(path)

    @staticmethod
    def encode(obj: Any) -> str:
        """An object as JSON text (jsonpickle), arrays and data frames included."""
        return json.dumps(_jsonpickle("", safe=True).pickler.Pickler().flatten(obj))

    @staticmethod
    def decode(text: str, safe: bool = True) -> Any:
        """The object of a text made by `encode`.

        Such a text can name any class and so run any code: unless `safe` is False, only plain data
        and numpy arrays of a bounded size are made, and ValueError is raised for anything else.
        """
        value = json.loads(text)
        if safe:
            refuse_strangers(value)
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
    def answer(row: Any, document: dict[str, Any]) -> dict[str, Any]:
        """The document, marked as the answer to `row`: a row that was kept, or its ticket.

        It must be returned by a hook. It makes no difference unless the pipeline is an ultra task.
        """
        if not isinstance(document, dict):
            raise TypeError(
                f"slt.answer wants one document, a dict, and was given {type(document).__name__}; "
                "mark each document by itself"
            )
        used = tracker.current()
        return document if used is None else used.answer(row, document)

    @staticmethod
    def ticket(row: Any) -> Ticket:
        """Stands for a row in `answer`; the row waits for its answer while the ticket is kept."""
        used = tracker.current()
        return Ticket(0) if used is None else used.ticket(row)

    @staticmethod
    def download_file(url: str, out_path: str) -> None:
        """Fetch a file; `out_path` appears only when all of it has come."""
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
        """POST `data` as JSON to an ultra task; the answer by `fmt`: json, text, else bytes."""
        return _call(url, token, {} if data is None else data, fmt)

    @staticmethod
    def trigger(
        url: str,
        token: str | None = None,
        data: Any = None,
        params: dict[str, Any] | None = None,
        fmt: str = "json",
    ) -> Any:
        """Call a triggered task: POST if there is `data`, else GET; `params` go into the URL."""
        if params:
            import urllib.parse

            mark = "&" if "?" in url else "?"
            url = f"{url}{mark}{urllib.parse.urlencode(params)}"
        return _call(url, token, data, fmt)


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
    """jsonpickle with the handlers of those numeric libraries that are in use or in the text."""
    import jsonpickle

    for library in ("numpy", "pandas"):
        if library in sys.modules or (f'"{library}.' in text and install.is_there(library)):
            module = __import__(f"jsonpickle.ext.{library}", fromlist=["register_handlers"])
            module.register_handlers()
            if library == "numpy" and safe:
                arrays.register_arrays(arrays.Allowance(text))
    return jsonpickle
