"""Completion: what may be written at a position of a document."""

from __future__ import annotations

from engine.language.answers import Completion
from engine.language.complete_expressions import complete_expression
from engine.language.complete_files import (
    account_kinds,
    complete_account,
    complete_file,
    names_file,
)
from engine.language.complete_keys import complete_key, complete_value
from engine.language.complete_links import complete_link, is_link
from engine.language.expression_places import expression_at
from engine.language.fields import knowledge_at
from engine.language.here import here_at
from engine.language.positions import Position
from engine.language.workspace import Document


def complete(document: Document, position: Position) -> list[Completion]:
    """All that fits at a position, best first. What has been typed of it does not filter them:
    editors do that."""
    here = here_at(document, position)
    if here.is_comment or (here.spot.part == "value" and not here.path):
        return []
    if place := expression_at(here):
        found = complete_expression(here, place, knowledge_at(here.document, place.label))
    elif is_link(here):
        found = complete_link(here)
    elif here.spot.part == "between":
        found = complete_key(here) if here.is_flow else []
    elif here.offset is None:
        found = []
    elif here.spot.part == "key":
        found = complete_key(here)
    elif names_file(here):
        found = complete_file(here)
    elif kinds := account_kinds(here):
        found = complete_account(here, kinds)
    else:
        found = complete_value(here)
    return sorted(found, key=lambda each: each.rank)
