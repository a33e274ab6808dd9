"""The requests of an editor, each answered by a function of `engine.language`.

The name of a function is that of the request in `engine.lsp.server`. A file that does not exist, or
is not one of ours, has no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from lsprotocol import types
from pygls.exceptions import JsonRpcInvalidParams

from engine.language import Document
from engine.language.answers import Completion, TextEdit
from engine.language.complete import complete
from engine.language.define import define
from engine.language.fix import QuickFix, quick_fixes
from engine.language.format import FormatRefusedError, formatted
from engine.language.hover import hover
from engine.language.outline import Lens, Symbol, find_symbols, foldings, lenses, links, outline
from engine.language.recognise import is_ours
from engine.language.refer import highlight, refer
from engine.language.rename import RenameRefusedError, prepare_rename, rename
from engine.language.signature import signature
from engine.lsp.publishing import diagnostic
from engine.lsp.session import Session

_SYMBOLS = {
    "section": types.SymbolKind.Namespace,
    "snap": types.SymbolKind.Function,
    "parameter": types.SymbolKind.Variable,
    "library": types.SymbolKind.Module,
    "case": types.SymbolKind.Method,
    "key": types.SymbolKind.Field,
}
_COMPLETIONS = {
    "account": types.CompletionItemKind.Reference,
    "constant": types.CompletionItemKind.Constant,
    "field": types.CompletionItemKind.Field,
    "file": types.CompletionItemKind.File,
    "folder": types.CompletionItemKind.Folder,
    "function": types.CompletionItemKind.Function,
    "key": types.CompletionItemKind.Property,
    "keyword": types.CompletionItemKind.Keyword,
    "label": types.CompletionItemKind.Reference,
    "library": types.CompletionItemKind.Module,
    "method": types.CompletionItemKind.Method,
    "namespace": types.CompletionItemKind.Module,
    "parameter": types.CompletionItemKind.Variable,
    "snap": types.CompletionItemKind.Class,
    "value": types.CompletionItemKind.Value,
    "variable": types.CompletionItemKind.Variable,
    "view": types.CompletionItemKind.Interface,
}
_MOST_OF_NEW_FILE = 2_000
"""Characters of the comments with which a file may begin."""

_ASK_AGAIN = types.Command("Complete", "editor.action.triggerSuggest")
"""A command of VS Code, which our extension alone has."""

LENS_COMMANDS = {
    "preview": ("Preview to here", "snapline.preview"),
    "test": ("Run test", "snapline.runTest"),
}


class HasDocument(Protocol):
    """The parameters of a request about a file."""

    text_document: types.TextDocumentIdentifier


def completion(session: Session, params: types.CompletionParams) -> types.CompletionList | None:
    document = _typed_in(session, params)
    if document is None:
        return None
    found = complete(document, session.position_in(document, params.position))
    return types.CompletionList(
        is_incomplete=False, items=[_completion(session, document, each) for each in found]
    )


def hover_at(session: Session, params: types.HoverParams) -> types.Hover | None:
    document = _document(session, params)
    if document is None:
        return None
    found = hover(document, session.position_in(document, params.position))
    if found is None:
        return None
    return types.Hover(_markdown(found.markdown), session.range(document, found.range))


def signature_help(
    session: Session, params: types.SignatureHelpParams
) -> types.SignatureHelp | None:
    document = _document(session, params)
    if document is None:
        return None
    found = signature(document, session.position_in(document, params.position))
    if found is None:
        return None
    parameters = [types.ParameterInformation(each) for each in found.parameters]
    shown = types.SignatureInformation(found.label, _markdown(found.documentation), parameters)
    return types.SignatureHelp([shown], active_signature=0, active_parameter=found.active)


def definition(session: Session, params: types.DefinitionParams) -> list[types.Location]:
    document = _document(session, params)
    if document is None:
        return []
    found = define(document, session.position_in(document, params.position))
    return [session.location(target) for target in found]


def references(session: Session, params: types.ReferenceParams) -> list[types.Location]:
    with_definition = params.context.include_declaration
    document = _document(session, params)
    if document is None:
        return []
    place = session.position_in(document, params.position)
    found = refer(document, place, declaration=with_definition)
    return [session.location(target) for target in found]


def document_highlight(
    session: Session, params: types.DocumentHighlightParams
) -> list[types.DocumentHighlight]:
    document = _document(session, params)
    if document is None:
        return []
    found = highlight(document, session.position_in(document, params.position))
    return [types.DocumentHighlight(session.range(document, each)) for each in found]


def prepare_rename_at(
    session: Session, params: types.PrepareRenameParams
) -> types.PrepareRenamePlaceholder | None:
    document = _document(session, params)
    if document is None:
        return None
    try:
        place, name = prepare_rename(document, session.position_in(document, params.position))
    except RenameRefusedError:
        return None  # the editor says that nothing can be renamed here
    return types.PrepareRenamePlaceholder(session.range(document, place), name)


def rename_at(session: Session, params: types.RenameParams) -> types.WorkspaceEdit | None:
    document = _document(session, params)
    if document is None:
        return None
    place = session.position_in(document, params.position)
    try:
        edits = rename(document, place, params.new_name)
    except RenameRefusedError as refusal:
        raise JsonRpcInvalidParams(str(refusal)) from None
    return workspace_edit(session, edits)


def document_symbol(
    session: Session, params: types.DocumentSymbolParams
) -> list[types.DocumentSymbol]:
    document = _document(session, params)
    if document is None:
        return []
    return [_symbol(session, document, each) for each in outline(document)]


def workspace_symbol(
    session: Session, params: types.WorkspaceSymbolParams
) -> list[types.WorkspaceSymbol]:
    return [
        types.WorkspaceSymbol(
            types.Location(session.uri_of(document.path), session.range(document, each.name_range)),
            each.name,
            _SYMBOLS[each.kind],
            container_name=each.detail or None,
        )
        for document, each in find_symbols(session.workspace, params.query)
    ]


def document_link(session: Session, params: types.DocumentLinkParams) -> list[types.DocumentLink]:
    document = _document(session, params)
    if document is None:
        return []
    return [
        types.DocumentLink(session.range(document, each.range), target=session.uri_of(each.path))
        for each in links(document)
    ]


def folding_range(session: Session, params: types.FoldingRangeParams) -> list[types.FoldingRange]:
    document = _document(session, params)
    if document is None:
        return []
    return [types.FoldingRange(each.start.line, each.end.line) for each in foldings(document)]


def code_lens(session: Session, params: types.CodeLensParams) -> list[types.CodeLens]:
    document = _document(session, params)
    if document is None or not session.runs_commands:
        return []
    return [_lens(session, document, each) for each in lenses(document)]


def formatting(
    session: Session, params: types.DocumentFormattingParams
) -> list[types.TextEdit] | None:
    document = _document(session, params)
    if document is None:
        return None
    try:
        text = formatted(document.text, document.path)
    except FormatRefusedError as refusal:
        raise JsonRpcInvalidParams(str(refusal)) from None
    if text == document.text:
        return []
    place = session.range(document, document.lines.range(0, len(document.text)))
    return [types.TextEdit(place, text)]


def code_action(session: Session, params: types.CodeActionParams) -> list[types.CodeAction]:
    document = _document(session, params)
    if document is None or not _are_wanted(params.context.only):
        return []
    place = session.range_in(document, params.range)
    return [_quick_fix(session, document, each) for each in quick_fixes(document, place)]


def _are_wanted(kinds: Sequence[types.CodeActionKind | str] | None) -> bool:
    """Whether the editor asks for quick fixes, among others."""
    return kinds is None or any(_name(kind) in ("", "quickfix") for kind in kinds)


def _name(kind: types.CodeActionKind | str) -> str:
    return str(getattr(kind, "value", kind))


def _quick_fix(session: Session, document: Document, fix: QuickFix) -> types.CodeAction:
    return types.CodeAction(
        fix.title,
        kind=types.CodeActionKind.QuickFix,
        diagnostics=[diagnostic(session, document, fix.diagnostic)],
        is_preferred=fix.is_preferred,
        edit=workspace_edit(session, {document.path: list(fix.edits)}),
    )


def workspace_edit(session: Session, edits: dict[str, list[TextEdit]]) -> types.WorkspaceEdit:
    """Edits by file, in the terms of the editor."""
    changes: dict[str, Sequence[types.TextEdit]] = {}
    for path, those in edits.items():
        document = session.workspace.document(path)
        changes[session.uri_of(path)] = [
            types.TextEdit(session.range(document, each.range), each.text) for each in those
        ]
    return types.WorkspaceEdit(changes=changes)


def _symbol(session: Session, document: Document, symbol: Symbol) -> types.DocumentSymbol:
    return types.DocumentSymbol(
        symbol.name,
        _SYMBOLS[symbol.kind],
        session.range(document, symbol.range),
        session.range(document, symbol.name_range),
        detail=symbol.detail or None,
        children=[_symbol(session, document, each) for each in symbol.children],
    )


def _lens(session: Session, document: Document, lens: Lens) -> types.CodeLens:
    title, command = LENS_COMMANDS[lens.action]
    arguments = [session.uri_of(document.path), lens.name]
    place = session.range(document, lens.range)
    return types.CodeLens(place, types.Command(title, command, arguments=arguments))


def _completion(session: Session, document: Document, found: Completion) -> types.CompletionItem:
    edit = types.TextEdit(session.range(document, found.edit.range), found.edit.text)
    return types.CompletionItem(
        found.label,
        label_details=_label_details(found) if session.shows_label_details else None,
        kind=_COMPLETIONS[found.kind],
        detail=found.detail or None,
        documentation=_markdown(found.documentation) if found.documentation else None,
        sort_text=f"{found.rank:04}",
        filter_text=found.edit.text,
        text_edit=edit,
        command=_ASK_AGAIN if found.asks_again and session.runs_commands else None,
    )


def _label_details(found: Completion) -> types.CompletionItemLabelDetails | None:
    """What the list shows of every item, and not only of the chosen one: the arguments of a
    function, what a snap does, else the detail."""
    _, parenthesis, arguments = found.detail.partition("(")
    if found.kind in ("function", "method") and parenthesis:  # those of a library are not known
        return types.CompletionItemLabelDetails(detail=f"({arguments}")
    text = found.detail
    if found.kind == "snap" and not text:
        text = found.documentation.partition("\n")[0]
    return types.CompletionItemLabelDetails(description=text) if text else None


def _markdown(text: str) -> types.MarkupContent:
    return types.MarkupContent(types.MarkupKind.Markdown, text)


def _typed_in(session: Session, params: HasDocument) -> Document | None:
    """A file of ours, or one that is still empty."""
    document = session.document(params.text_document.uri)
    if document is None or is_ours(document):
        return document
    is_new = len(document.text) < _MOST_OF_NEW_FILE and document.source.root is None
    return document if is_new else None


def _document(session: Session, params: HasDocument) -> Document | None:
    document = session.document(params.text_document.uri)
    return document if document is not None and is_ours(document) else None
