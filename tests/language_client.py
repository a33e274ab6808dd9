"""A client for language servers: opens files, asks, and waits for the answers."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from queue import Queue
from typing import Any

Json = Any


class LanguageClient:
    """A server in a process of its own, which shows `folder`. No wait is longer than `timeout`.

    `capabilities` are those of the client, `settings` by section what the server may ask for.
    """

    def __init__(
        self,
        command: Sequence[str],
        folder: Path,
        capabilities: Json,
        settings: Mapping[str, Json] = {},
        timeout: float = 180,
    ) -> None:
        self._timeout = timeout
        self._folder = folder
        self._settings = settings
        self._asked = 0
        self._answers: Queue[Json] = Queue()
        self._diagnostics: dict[str, Queue[Json]] = {}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=folder,
        )
        threading.Thread(target=self._listen, daemon=True).start()
        root = {"uri": folder.as_uri(), "name": folder.name}
        self.server: Json = self.ask(
            "initialize",
            processId=None,
            rootUri=root["uri"],
            workspaceFolders=[root],
            capabilities=capabilities,
        )
        self.tell("initialized")

    def diagnose(self, name: str, text: str) -> list[Json]:
        """Open a file with this text: what the server has to say about it."""
        self.open(name, text)
        return self.diagnostics(name)

    def open(self, name: str, text: str) -> None:
        uri = self.uri(name)
        self._diagnostics[uri] = Queue()
        document = {"uri": uri, "languageId": "yaml", "version": 1, "text": text}
        self.tell("textDocument/didOpen", textDocument=document)

    def diagnostics(self, name: str) -> list[Json]:
        """What the server has to say about a file that was opened."""
        found: list[Json] = self._diagnostics[self.uri(name)].get(timeout=self._timeout)
        return found

    def complete(self, name: str, text: str) -> list[Json]:
        """The completions at `|` in the text, which is taken out."""
        found = self.ask("textDocument/completion", **self._at_mark(name, text))
        items: list[Json] = found["items"]
        return items

    def hover(self, name: str, text: str) -> str:
        """What is shown about the place before `|` in the text, which is taken out."""
        found = self.ask("textDocument/hover", **self._at_mark(name, text))
        return "" if found is None else str(found["contents"]["value"])

    def _at_mark(self, name: str, text: str) -> Json:
        before = text[: text.index("|")]
        self.diagnose(name, text.replace("|", "", 1))
        position = {"line": before.count("\n"), "character": len(before.rpartition("\n")[2])}
        return {"textDocument": {"uri": self.uri(name)}, "position": position}

    def uri(self, name: str) -> str:
        return (self._folder / name).as_uri()

    def ask(self, method: str, **parameters: Json) -> Json:
        answer = self.response(method, **parameters)
        assert "error" not in answer, answer
        return answer["result"]

    def response(self, method: str, **parameters: Json) -> Json:
        """The response to a request, which may be an error."""
        self._asked += 1
        self._send({"id": self._asked, "method": method, "params": parameters})
        answer = self._answers.get(timeout=self._timeout)
        assert answer["id"] == self._asked
        return answer

    def change(self, name: str, version: int, changes: Sequence[Json]) -> None:
        document = {"uri": self.uri(name), "version": version}
        self.tell("textDocument/didChange", textDocument=document, contentChanges=changes)

    def write(self, data: bytes) -> None:
        """Send bytes as they are."""
        assert self._process.stdin is not None
        self._process.stdin.write(data)
        self._process.stdin.flush()

    def end(self) -> int:
        """End the session as an editor does; the exit code of the server."""
        self.ask("shutdown")
        self.tell("exit")
        return self._process.wait(timeout=self._timeout)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def tell(self, method: str, **parameters: Json) -> None:
        self._send({"method": method, "params": parameters})

    def _send(self, message: Json) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.write(b"Content-Length: %d\r\n\r\n%b" % (len(body), body))

    def _listen(self) -> None:
        stream = self._process.stdout
        assert stream is not None
        while head := stream.readline():
            while stream.readline().strip():
                continue
            self._receive(json.loads(stream.read(int(head.partition(b":")[2]))))
        self._answers.put({"id": self._asked, "error": "the server has ended"})

    def _receive(self, message: Json) -> None:
        method = message.get("method")
        if method is None:
            self._answers.put(message)
        elif method == "textDocument/publishDiagnostics":
            found = message["params"]
            self._diagnostics.setdefault(found["uri"], Queue()).put(found["diagnostics"])
        elif method == "workspace/configuration":
            items = message["params"]["items"]
            result = [self._settings.get(each.get("section"), {}) for each in items]
            self._send({"id": message["id"], "result": result})
        elif "id" in message:
            self._send({"id": message["id"], "result": None})
