"""Problems of open files: sent when the user pauses, or when the editor asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from lsprotocol import types

from engine.language import Document
from engine.language.answers import Diagnostic
from engine.language.diagnose import diagnose
from engine.language.recognise import is_ours
from engine.lsp.session import Session

PAUSE = 0.15
"""Seconds without an edit after which a file is checked."""

SOURCE = "snapline"
_SEVERITIES = {
    "error": types.DiagnosticSeverity.Error,
    "warning": types.DiagnosticSeverity.Warning,
}


class Publisher:
    """Sends the problems of files, each after a pause."""

    def __init__(
        self, session: Session, send: Callable[[types.PublishDiagnosticsParams], None]
    ) -> None:
        self._session = session
        self._send = send
        self._waiting: dict[str, asyncio.TimerHandle] = {}

    def check_soon(self, uri: str, pause: float = PAUSE) -> None:
        """Check a file after the pause; another call for it begins the pause again."""
        self.forget(uri)
        loop = asyncio.get_running_loop()
        self._waiting[uri] = loop.call_later(pause, self._check, uri)

    def forget(self, uri: str) -> None:
        waiting = self._waiting.pop(uri, None)
        if waiting is not None:
            waiting.cancel()

    def clear(self, uri: str) -> None:
        """Take back the problems of a file that is closed."""
        self.forget(uri)
        self._send(types.PublishDiagnosticsParams(uri, []))

    def _check(self, uri: str) -> None:
        self._waiting.pop(uri, None)
        document = self._session.document(uri)
        if document is not None:
            found = diagnostics_of(self._session, document)
            self._send(types.PublishDiagnosticsParams(uri, found, document.version))


def diagnostics_of(session: Session, document: Document) -> list[types.Diagnostic]:
    """The problems of a file; none if it is not one of ours."""
    if not is_ours(document):
        return []
    return [diagnostic(session, document, each) for each in diagnose(document)]


def diagnostic(session: Session, document: Document, found: Diagnostic) -> types.Diagnostic:
    related = None
    if found.elsewhere is not None:
        related = [
            types.DiagnosticRelatedInformation(session.location(found.elsewhere), found.message)
        ]
    return types.Diagnostic(
        session.range(document, found.range),
        f"{found.message}\n{found.hint}" if found.hint else found.message,
        severity=_SEVERITIES[found.severity],
        code=found.code,
        source=SOURCE,
        related_information=related,
    )
