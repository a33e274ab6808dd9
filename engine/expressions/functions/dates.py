"""Dates: not there yet."""

from engine.expressions.functions.declare import Family

DATES = Family("Date", "")
LOCAL_DATES = Family("LocalDate", "")
LOCAL_DATE_TIMES = Family("LocalDateTime", "")
LOCAL_TIMES = Family("LocalTime", "")


def check_pattern(text: str) -> None:
    """Nothing to check yet."""
