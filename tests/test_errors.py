"""Errors cross processes without losing anything."""

from __future__ import annotations

import pickle

import pytest

from engine.errors import AbsentError, DataError
from engine.expressions import compile_expression


def test_details_of_an_error_survive_pickling() -> None:
    error = DataError("it failed", "so", "do", details={"status": 404})
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.error, copy.reason, copy.resolution) == ("it failed", "so", "do")
    assert copy.details == {"status": 404}


def test_an_error_of_an_expression_is_pickled_with_its_texts() -> None:
    with pytest.raises(AbsentError) as caught:
        compile_expression("1 + $nmae")({"name": "Ann"})
    copy = pickle.loads(pickle.dumps(caught.value))
    assert str(copy) == str(caught.value)
    assert copy.args == (
        "`$nmae` is not in the document; did you mean `$name`?",
        "1 + $nmae",
        4,
        5,
        "",
    )
    assert copy.report() == caught.value.report()


def test_an_error_of_an_expression_has_no_other_attributes() -> None:
    with pytest.raises(AbsentError) as caught:
        compile_expression("$nmae")({"name": "Ann"})
    with pytest.raises(AttributeError, match="'AbsentError' object has no attribute 'mesage'"):
        _ = caught.value.mesage
