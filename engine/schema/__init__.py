"""JSON Schemas (2020-12) of the files that users write, for editors that complete and check.

They are made from the same declarations as the checks of `engine validate`. A schema must accept
every file that the engine accepts: where it cannot say exactly what is allowed, it says less.
"""

from __future__ import annotations

from engine.schema.kinds import KINDS, schema_file, schema_text

__all__ = ["KINDS", "schema_file", "schema_text"]
