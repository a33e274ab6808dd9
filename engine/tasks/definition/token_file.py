"""A token file: `tokens:` with names and hashes, apart from the task file that names it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from engine.errors import ConfigurationError
from engine.pipeline.load import compose_text, read
from engine.pipeline.nodes import Table, plain
from engine.pipeline.redaction import Redaction
from engine.pipeline.source import Source
from engine.sdk.conversion import convert, convert_partly
from engine.sdk.settings import Settings, setting
from engine.tasks.definition.access_reader import read_tokens
from engine.tasks.definition.problem_collector import ProblemCollector
from engine.tasks.definition.settings import TokenSettings
from engine.tasks.definition.token_hash import TokenHash

_REDACTION = Redaction("a token file", shown=(), hidden=("tokens",))


class TokenFileSettings(Settings):
    tokens: tuple[TokenSettings, ...] = setting(help="Callers must send one of these tokens.")


def load_tokens(path: str | Path) -> tuple[TokenHash, ...]:
    """The tokens of a file. Raises ConfigurationError with all problems, none of which quotes a
    value: somebody may have written a token for its hash."""
    return parse_tokens(read(path, "token file"), str(path))


def parse_tokens(text: str | bytes, path: str = "tokens.yaml") -> tuple[TokenHash, ...]:
    source, problems = compose_text(text, path)
    collector = ProblemCollector(source, problems)
    tokens = None if problems else _tokens(source, collector)
    if problems:
        lines = map(str, _REDACTION.redacted(source, problems))
        raise ConfigurationError("\n".join(lines))
    if tokens is None:
        raise ConfigurationError(
            f"the token file {path!r} has no 'tokens'; write 'tokens:' and a list, and add to it "
            "what 'engine token new --name NAME' prints"
        )
    return tokens


def _tokens(source: Source, collector: ProblemCollector) -> tuple[TokenHash, ...] | None:
    if not isinstance(source.root, Table):
        return None
    values: dict[str, Any] = {key: plain(each.value) for key, each in source.root.entries.items()}
    for issue in convert(TokenFileSettings, values)[1]:
        message = issue.message.partition(", got ")[0]
        collector.report(issue.code, issue.path, message, issue.hint, at_key=issue.at_key)
    given = convert_partly(TokenFileSettings, values).get("tokens")
    return read_tokens(given, collector)
