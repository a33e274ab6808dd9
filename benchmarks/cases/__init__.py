"""The cases of the table, one module each."""

from __future__ import annotations

from importlib import import_module

from benchmarks.case import Case

NAMES = (
    "filter_and_map",
    "filter_only",
    "added_field",
    "few_fields",
    "filter_records",
    "ten_snaps",
    "arrays",
    "regexes_and_dates",
    "errors",
    "copies",
    "sort",
    "aggregate",
    "join",
)
"""The modules, in the order of the table."""


def load_case(name: str) -> Case:
    case: Case = import_module(f"{__name__}.{name}").CASE
    return case
