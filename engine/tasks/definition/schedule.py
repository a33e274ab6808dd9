"""When a scheduled task runs, and what happens to runs that were not started in time.

Pure functions: the time is passed in. All results are UTC, because two times of one zone with
daylight saving compare and subtract by the wall clock, which is wrong for one hour a year.

`every` counts from `at`, or else from midnight UTC on 1970-01-01: the times depend neither on when
the server started nor on how long a run takes, and are the same for every server.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import count, islice, takewhile
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from cronsim import CronSim, CronSimError

from engine.sdk.settings import nearest_hint, shown
from engine.tasks.definition.cron import CronError, cron_fields
from engine.tasks.definition.task import Schedule

GRACE = timedelta(minutes=15)
GRACE_OF_FREQUENT = timedelta(minutes=5)
"""For runs less than 15 minutes apart."""

MAX_COUNTED = 1000
MAX_DUE = 100
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_CRON_HINT = "write minute, hour, day, month and weekday, such as '*/5 8-17 * * MON-FRI'"


class Missed(msgspec.Struct, frozen=True):
    """Runs that were not started in time; `more`: there were too many to count."""

    first: datetime
    last: datetime
    count: int
    more: bool = False
    timezone: str = "UTC"

    def __str__(self) -> str:
        first, last = (local_time(each, self.timezone) for each in (self.first, self.last))
        if self.count == 1:
            return f"the run of {first} was missed"
        number = f"more than {self.count:,}" if self.more else f"{self.count:,}"
        return f"{number} runs from {first} to {last} were missed"


class Due(msgspec.Struct, frozen=True):
    """What to do now: `runs` to start, oldest first, and what to report as misfired."""

    runs: tuple[datetime, ...] = ()
    missed: Missed | None = None


def next_runs(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """The runs later than `after`, in order, in UTC; endless unless the schedule has an end."""
    previous = after = after.astimezone(UTC)
    try:
        for run in _runs(schedule, after):
            if schedule.until is not None and run > schedule.until:
                return
            if run > previous:  # cronsim repeats times around a clock change
                previous = run
                yield run
    except (OverflowError, ValueError):  # the calendar ends with the year 9999
        return


def due(schedule: Schedule, handled: datetime, now: datetime) -> Due:
    """What to do about the runs later than `handled` and not later than `now`.

    `handled` is the last run that was started or reported; for a new task, the start of the server.
    A run is missed when it is late by more than the schedule's grace, or when a hundred later ones
    are due too. Takes a few tenths of a second at most, however long ago `handled` is.
    """
    passed = list(islice(_between(schedule, handled, now), MAX_COUNTED))
    more = len(passed) == MAX_COUNTED
    latest = _latest(schedule, now) if more else passed
    runs = tuple(run for run in latest[-MAX_DUE:] if now - run <= _grace(schedule, run))
    missed = latest[: len(latest) - len(runs)]
    if not missed:
        return Due(runs)
    return Due(runs, Missed(passed[0], missed[-1], len(missed), more, schedule.timezone))


def check_cron(cron: str) -> None:
    """Raises ValueError with a message for the user if the text is not cron, or never matches."""
    try:
        first = next(CronSim(cron_fields(cron), _EPOCH), None)
    except CronError as error:
        reason = str(error)
    except CronSimError:  # each field is valid without the others
        reason = "the month does not have that day"
    else:
        reason = ""
    if reason:
        raise ValueError(f"{shown(cron)} is not a cron expression: {reason}; {_CRON_HINT}")
    if first is None:
        raise ValueError(f"{shown(cron)} never matches; {_CRON_HINT}")


def zone_of(name: str) -> tzinfo:
    """The time zone. Raises ValueError with a message for the user."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # what zoneinfo raises depends on the name
        hint = nearest_hint(name, available_timezones()) or "write a name such as 'Europe/Berlin'"
        raise ValueError(f"unknown time zone {shown(name)}; {hint}") from None


def local_time(moment: datetime, timezone: str) -> str:
    """A time as users read it: in the given zone, with its offset from UTC."""
    try:
        local = moment.astimezone(zone_of(timezone))
    except OverflowError:  # beyond the end of the calendar in that zone
        local = moment
    return local.isoformat(timespec="seconds")


def _runs(schedule: Schedule, after: datetime) -> Iterator[datetime]:
    """The times in order; those of cron may come twice, or before `after`."""
    if schedule.cron:
        fields = cron_fields(schedule.cron)
        for run in CronSim(fields, after.astimezone(zone_of(schedule.timezone))):
            yield run.astimezone(UTC)
    elif schedule.every is not None:
        yield from _repeated(schedule.at or _EPOCH, timedelta(seconds=schedule.every), after)
    elif schedule.at is not None:
        yield schedule.at.astimezone(UTC)


def _repeated(start: datetime, every: timedelta, after: datetime) -> Iterator[datetime]:
    start = start.astimezone(UTC)
    for number in count(max(0, (after - start) // every + 1)):
        yield start + number * every


def _between(schedule: Schedule, after: datetime, until: datetime) -> Iterator[datetime]:
    return takewhile(lambda run: run <= until, next_runs(schedule, after))


def _latest(schedule: Schedule, now: datetime) -> list[datetime]:
    """The last 1,000 runs until now; the caller knows that there are that many."""
    end = min(now, schedule.until or now)
    span = GRACE
    while len(runs := list(_between(schedule, end - span, end))) < MAX_COUNTED:
        span *= 2
    return runs[-MAX_COUNTED:]


def _grace(schedule: Schedule, run: datetime) -> timedelta:
    if schedule.grace is not None:
        return timedelta(seconds=schedule.grace)
    following = next(next_runs(schedule, run), None)
    return GRACE_OF_FREQUENT if following and following - run < GRACE else GRACE
