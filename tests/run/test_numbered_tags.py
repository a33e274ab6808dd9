"""Tags by number: the last ones are known, and the memory does not grow."""

from __future__ import annotations

from engine.request_tags import NO_TAG, RequestTag
from engine.run.numbered_tags import KEPT, NumberedTags


def test_the_oldest_are_forgotten() -> None:
    tags = NumberedTags()
    for number in range(5 * KEPT):
        tags.add(number, RequestTag(f"id-{number}"))
        assert tags.of(max(0, number - KEPT + 1)).id == f"id-{max(0, number - KEPT + 1)}"
    assert tags.of(0) == NO_TAG
    assert tags.of(5 * KEPT - 1).id == f"id-{5 * KEPT - 1}"


def test_a_document_of_several_requests_has_all_ids() -> None:
    tags = NumberedTags()
    tags.add(2, RequestTag("b"))
    tags.add(1, RequestTag("a"))
    assert tags.ids(frozenset((2, 1, 7))) == "a, b"
    assert tags.ids(frozenset()) == ""
