"""Scripts that read their own input: `hook.execute()` runs once and calls `input.next()`.

Such scripts were written for Jython 2.7, on Java: their source has the meaning that it has in
Python 2, and the few Java classes that they import are there. `conversation` turns the one long
call into one answer for each row.
"""

from .conversation import Conversation
from .python2 import compiled

__all__ = ["Conversation", "compiled"]
