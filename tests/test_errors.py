"""Errors cross processes without losing anything."""

from __future__ import annotations

import pickle

from engine.errors import DataError


def test_details_of_an_error_survive_pickling() -> None:
    error = DataError("it failed", "so", "do", details={"status": 404})
    copy = pickle.loads(pickle.dumps(error))
    assert (copy.error, copy.reason, copy.resolution) == ("it failed", "so", "do")
    assert copy.details == {"status": 404}
