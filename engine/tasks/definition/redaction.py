"""Keep tokens and secrets out of the problems that are reported for a task file.

Only the pipeline knows which parameters are secret, and a misspelt key could be any of them.
"""

from __future__ import annotations

from engine.pipeline.redaction import Redaction
from engine.sdk.settings import settings_of
from engine.tasks.definition.settings import TaskSettings

SECRET_KEYS = ("parameters", "bearer_token")
_HIDDEN_KEYS = (*SECRET_KEYS, "tokens")  # somebody may have written a token for its hash
_REDACTION = Redaction(
    "a task file",
    shown=tuple(key for key in settings_of(TaskSettings) if key not in _HIDDEN_KEYS),
    hidden=_HIDDEN_KEYS,
)

redacted = _REDACTION.redacted
"""Gives the problems by location; none quotes a line that may hold a secret."""
