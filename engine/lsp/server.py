"""The server: which requests and notifications it takes, and its life on standard streams.

It answers `initialize` before `engine.language` is imported, which takes as long as all of pygls.
Requests wait one turn of the event loop, so that edits and cancellations that have already arrived
come first.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import os
import sys
from collections.abc import Awaitable, Callable
from functools import cached_property
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

from lsprotocol import types
from pygls.lsp.server import LanguageServer

from engine.lsp.protocol import Protocol

if TYPE_CHECKING:
    from engine.lsp.publishing import Publisher
    from engine.lsp.session import Session

_REQUESTS: dict[str, tuple[str, Any]] = {
    types.TEXT_DOCUMENT_COMPLETION: (
        "completion",
        types.CompletionOptions(trigger_characters=[*" .$_'\"[(>/"]),
    ),
    types.TEXT_DOCUMENT_HOVER: ("hover_at", None),
    types.TEXT_DOCUMENT_SIGNATURE_HELP: (
        "signature_help",
        types.SignatureHelpOptions(trigger_characters=["(", ","]),
    ),
    types.TEXT_DOCUMENT_DEFINITION: ("definition", None),
    types.TEXT_DOCUMENT_REFERENCES: ("references", None),
    types.TEXT_DOCUMENT_DOCUMENT_HIGHLIGHT: ("document_highlight", None),
    types.TEXT_DOCUMENT_PREPARE_RENAME: ("prepare_rename_at", None),
    types.TEXT_DOCUMENT_RENAME: ("rename_at", types.RenameOptions(prepare_provider=True)),
    types.TEXT_DOCUMENT_DOCUMENT_SYMBOL: ("document_symbol", None),
    types.WORKSPACE_SYMBOL: ("workspace_symbol", None),
    types.TEXT_DOCUMENT_DOCUMENT_LINK: ("document_link", None),
    types.TEXT_DOCUMENT_FOLDING_RANGE: ("folding_range", None),
    types.TEXT_DOCUMENT_CODE_LENS: ("code_lens", None),
    types.TEXT_DOCUMENT_CODE_ACTION: (
        "code_action",
        types.CodeActionOptions([types.CodeActionKind.QuickFix]),
    ),
    types.TEXT_DOCUMENT_FORMATTING: ("formatting", None),
}
"""For each request, the function of `engine.lsp.requests` that answers it, and its options."""

_WATCHED = ("**/*.{yaml,yml,expr,py,json,vm,slp}", "**/.snapline/**")
"""Files on which the problems of others depend."""


class Server(LanguageServer):
    """A language server for one editor."""

    def __init__(self) -> None:
        super().__init__("snapline", version("snapline"), protocol_cls=Protocol)
        self.pulls = False
        self.runs_commands = False

    @cached_property
    def session(self) -> Session:
        from engine.lsp.session import Session, folder_paths  # see the head of this module

        session = Session(self.server_capabilities.position_encoding or "utf-16")
        session.workspace.folders = folder_paths([*self.workspace.folders.values()])
        session.runs_commands = self.runs_commands
        session.shows_label_details = self._shows_label_details()
        return session

    @cached_property
    def publisher(self) -> Publisher:
        from engine.lsp.publishing import Publisher

        return Publisher(self.session, self.text_document_publish_diagnostics)

    def _shows_label_details(self) -> bool:
        documents = self.client_capabilities.text_document
        items = documents and documents.completion and documents.completion.completion_item
        return bool(items and items.label_details_support)

    def load(self) -> None:
        """Import what the answers need, before somebody waits for them."""
        importlib.import_module("engine.lsp.requests")
        from engine.language.warm_up import warm_up

        warm_up(self.session.workspace)

    def check_soon(self, uri: str) -> None:
        """Send the problems of a file after a pause, unless the editor asks for them itself."""
        if not self.pulls:
            self.publisher.check_soon(uri)

    def check_all(self) -> None:
        """Files on the disk have changed: check all open ones again."""
        self.session.workspace.refresh()
        if self.pulls:
            self.workspace_diagnostic_refresh(None)
        else:
            for document in self.session.workspace.documents:
                self.publisher.check_soon(self.session.uri_of(document.path))

    def report_server_error(self, error: Exception, source: Any) -> None:
        """Errors go to the log, not to the user's screen."""
        logging.getLogger(__name__).error("%s", error)


def create_server() -> Server:
    """A server with all its handlers."""
    server = Server()
    for method, (name, options) in _REQUESTS.items():
        server.feature(method, options)(_answering(server, name))
    _add_diagnostics(server)
    _add_notifications(server)
    return server


def serve(*, is_verbose: bool = False) -> int:
    """Talk to the editor until it ends the session. Prints of others go to standard error."""
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.INFO if is_verbose else logging.WARNING,
        format="%(levelname)s %(name)s: %(message)s",
    )
    if not is_verbose:  # one line of ours is enough for a request that cannot be read
        logging.getLogger("pygls").setLevel(logging.CRITICAL)
    output = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever prints would break the protocol
    sys.stdout = sys.stderr
    create_server().start_io(sys.stdin.buffer, output)
    return 0


def _answering(server: Server, name: str) -> Callable[[Any], Awaitable[Any]]:
    async def answer(params: Any) -> Any:
        await asyncio.sleep(0)
        requests = importlib.import_module("engine.lsp.requests")
        return getattr(requests, name)(server.session, params)

    return answer


def _add_diagnostics(server: Server) -> None:
    options = types.DiagnosticOptions(inter_file_dependencies=True, workspace_diagnostics=False)

    @server.feature(types.TEXT_DOCUMENT_DIAGNOSTIC, options)
    async def diagnostic(params: types.DocumentDiagnosticParams) -> Any:
        from engine.lsp.publishing import diagnostics_of

        await asyncio.sleep(0)
        document = server.session.document(params.text_document.uri)
        found = [] if document is None else diagnostics_of(server.session, document)
        return types.RelatedFullDocumentDiagnosticReport(found)


def _add_notifications(server: Server) -> None:
    @server.feature(types.INITIALIZE)
    def initialize(params: types.InitializeParams) -> None:
        options = params.initialization_options
        server.runs_commands = isinstance(options, dict) and options.get("codeLens") is True

    @server.feature(types.INITIALIZED)
    async def initialized(_: types.InitializedParams) -> None:
        client = server.client_capabilities
        server.pulls = bool(client.text_document and client.text_document.diagnostic)
        watched = client.workspace and client.workspace.did_change_watched_files
        if watched and watched.dynamic_registration:
            server.client_register_capability(_registration())
        await asyncio.sleep(0)
        server.load()

    @server.feature(types.TEXT_DOCUMENT_DID_OPEN)
    def opened(params: types.DidOpenTextDocumentParams) -> None:
        document = params.text_document
        server.session.open(document.uri, document.text, document.version)
        server.check_soon(document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CHANGE)
    def changed(params: types.DidChangeTextDocumentParams) -> None:
        document = params.text_document
        server.session.change(document.uri, document.version, params.content_changes)
        server.check_soon(document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_CLOSE)
    def closed(params: types.DidCloseTextDocumentParams) -> None:
        server.session.close(params.text_document.uri)
        if not server.pulls:
            server.publisher.clear(params.text_document.uri)

    @server.feature(types.TEXT_DOCUMENT_DID_SAVE)
    def saved(params: types.DidSaveTextDocumentParams) -> None:
        server.check_all()

    @server.feature(types.WORKSPACE_DID_CHANGE_WATCHED_FILES)
    def files_changed(params: types.DidChangeWatchedFilesParams) -> None:
        server.check_all()

    @server.feature(types.WORKSPACE_DID_CHANGE_WORKSPACE_FOLDERS)
    def folders_changed(params: types.DidChangeWorkspaceFoldersParams) -> None:
        from engine.lsp.session import folder_paths

        folders = [*server.workspace.folders.values()]
        server.session.workspace.folders = folder_paths(folders)


def _registration() -> types.RegistrationParams:
    watchers = [types.FileSystemWatcher(pattern) for pattern in _WATCHED]
    options = types.DidChangeWatchedFilesRegistrationOptions(watchers)
    method = types.WORKSPACE_DID_CHANGE_WATCHED_FILES
    return types.RegistrationParams([types.Registration("files", method, options)])
