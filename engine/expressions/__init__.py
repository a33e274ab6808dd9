"""The expression language: text -> nodes -> a Python function of the document.

An expression reaches documents, parameters, libraries and the documented functions, and nothing of
Python: generated code has no builtins, members are looked up in dicts and method tables only.
"""

from __future__ import annotations

from engine.expressions.analysis import (
    Analysis,
    Lint,
    analyse,
    analyse_path,
    fields_expected,
    library_members,
    path_moved,
    paths_read,
    sees_counts,
)
from engine.expressions.compilation import CompiledExpression, compile_expression, parse_path
from engine.expressions.dates import (
    DateTime,
    LocalDate,
    LocalDateTime,
    LocalTime,
    check_timezone,
)
from engine.expressions.decimals import exact_decimals
from engine.expressions.evaluation import evaluate, scope_with_libraries
from engine.expressions.json_text import json_hook, to_json
from engine.expressions.libraries import load_library, overlay
from engine.expressions.literal_part import Parts, compile_parts, fixed_beginning
from engine.expressions.mapping import compile_mapping
from engine.expressions.parameter_warnings import lint_parameters, lint_text_fields
from engine.expressions.parsed import parse
from engine.expressions.paths.path import Path
from engine.expressions.scope import Scope
from engine.expressions.values import MISSING, Function

__all__ = [
    "MISSING",
    "Analysis",
    "CompiledExpression",
    "DateTime",
    "Function",
    "Lint",
    "LocalDate",
    "LocalDateTime",
    "LocalTime",
    "Parts",
    "Path",
    "Scope",
    "analyse",
    "analyse_path",
    "check_timezone",
    "compile_expression",
    "compile_mapping",
    "compile_parts",
    "evaluate",
    "exact_decimals",
    "fields_expected",
    "fixed_beginning",
    "json_hook",
    "library_members",
    "lint_parameters",
    "lint_text_fields",
    "load_library",
    "overlay",
    "parse",
    "parse_path",
    "path_moved",
    "paths_read",
    "scope_with_libraries",
    "sees_counts",
    "to_json",
]
