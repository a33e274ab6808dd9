"""When scheduled tasks run; the clock is an argument, so nothing waits."""

import time
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.tasks.definition.schedule import (
    MAX_DUE,
    Due,
    check_cron,
    due,
    local_time,
    next_runs,
    zone_of,
)
from engine.tasks.definition.task import Schedule

BERLIN = "Europe/Berlin"
NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def local(schedule: Schedule, after: str, number: int) -> list[str]:
    """The next runs as clocks in the schedule's zone show them; `after` is such a time too."""
    zone = zone_of(schedule.timezone)
    start = datetime.fromisoformat(after).replace(tzinfo=zone)
    runs = islice(next_runs(schedule, start), number)
    return [run.astimezone(zone).strftime("%Y-%m-%d %H:%M%z") for run in runs]


def cron(text: str, timezone: str = "UTC") -> Schedule:
    return Schedule(cron=text, timezone=timezone)


def test_a_time_is_shown_in_its_time_zone() -> None:
    assert local_time(NOON, BERLIN) == "2026-06-01T14:00:00+02:00"


def test_a_time_at_the_end_of_the_calendar_is_shown() -> None:
    last = datetime(9999, 12, 31, 23, 30, tzinfo=UTC)
    assert local_time(last, "Asia/Tokyo") == "9999-12-31T23:30:00+00:00"


class TestEvery:
    def test_counts_from_midnight_so_that_restarts_change_nothing(self) -> None:
        schedule = Schedule(every=300)
        assert local(schedule, "2026-06-01T12:01:30", 2) == [
            "2026-06-01 12:05+0000",
            "2026-06-01 12:10+0000",
        ]

    def test_counts_from_its_first_time_if_it_has_one(self) -> None:
        schedule = Schedule(every=86400, at=utc("2026-06-03T18:30"))
        assert local(schedule, "2026-06-01", 2) == [
            "2026-06-03 18:30+0000",
            "2026-06-04 18:30+0000",
        ]
        assert local(schedule, "2027-01-01", 1) == ["2027-01-01 18:30+0000"]

    def test_a_run_is_later_than_the_time_asked_for(self) -> None:
        assert next(next_runs(Schedule(every=3600), NOON)) == NOON + timedelta(hours=1)

    def test_does_not_drift(self) -> None:
        run = next(next_runs(Schedule(every=0.1), NOON + timedelta(days=3000)))
        assert run == NOON + timedelta(days=3000, microseconds=100_000)

    def test_ends_with_the_calendar(self) -> None:
        runs = list(next_runs(Schedule(every=3650 * 86400.0), utc("9980-01-01T00:00")))
        assert len(runs) == 2


class TestAt:
    def test_comes_once(self) -> None:
        schedule = Schedule(at=NOON)
        assert list(next_runs(schedule, NOON - timedelta(days=9))) == [NOON]
        assert list(next_runs(schedule, NOON)) == []


class TestUntil:
    def test_the_end_is_included(self) -> None:
        schedule = Schedule(every=3600, until=NOON + timedelta(hours=2))
        runs = list(next_runs(schedule, NOON))
        assert runs == [NOON + timedelta(hours=1), NOON + timedelta(hours=2)]

    def test_ends_cron_too(self) -> None:
        schedule = Schedule(cron="0 * * * *", until=NOON + timedelta(hours=2, minutes=59))
        assert len(list(next_runs(schedule, NOON))) == 2


class TestCron:
    def test_a_time_of_day_stays_when_summer_begins_and_ends(self) -> None:
        schedule = cron("0 8 * * *", BERLIN)
        assert local(schedule, "2026-03-28T00:00", 2) == [
            "2026-03-28 08:00+0100",
            "2026-03-29 08:00+0200",
        ]
        assert local(schedule, "2026-10-24T00:00", 2) == [
            "2026-10-24 08:00+0200",
            "2026-10-25 08:00+0100",
        ]

    def test_a_time_that_the_clock_skips_comes_right_after(self) -> None:
        assert local(cron("30 2 * * *", BERLIN), "2026-03-28T03:00", 2) == [
            "2026-03-29 03:00+0200",
            "2026-03-30 02:30+0200",
        ]

    def test_two_times_in_one_leap_are_one_run(self) -> None:
        assert local(cron("0,30 2 * * *", BERLIN), "2026-03-28T12:00", 2) == [
            "2026-03-29 03:00+0200",
            "2026-03-30 02:00+0200",
        ]

    def test_a_time_that_the_clock_shows_twice_comes_once(self) -> None:
        schedule = cron("30 2 * * *", BERLIN)
        assert local(schedule, "2026-10-24T12:00", 2) == [
            "2026-10-25 02:30+0200",
            "2026-10-26 02:30+0100",
        ]

    @pytest.mark.parametrize("minute", [10, 40])
    def test_and_not_again_when_asked_within_the_second_hour(self, minute: int) -> None:
        second = datetime(2026, 10, 25, 2, minute, tzinfo=ZoneInfo(BERLIN), fold=1)
        run = next(next_runs(cron("30 2 * * *", BERLIN), second))
        assert run == utc("2026-10-26T01:30")

    def test_what_runs_all_day_goes_on_through_both_changes(self) -> None:
        for night in ("2026-03-28T23:00", "2026-10-24T23:00"):
            runs = list(islice(next_runs(cron("*/20 * * * *", BERLIN), utc(night)), 12))
            assert {second - first for first, second in pairwise(runs)} == {timedelta(minutes=20)}

    def test_months_without_the_day_are_left_out(self) -> None:
        assert local(cron("0 0 31 * *"), "2026-01-31T12:00", 3) == [
            "2026-03-31 00:00+0000",
            "2026-05-31 00:00+0000",
            "2026-07-31 00:00+0000",
        ]

    def test_the_last_day_of_a_month_has_a_letter(self) -> None:
        assert local(cron("0 0 L * *"), "2028-01-31T12:00", 2) == [
            "2028-02-29 00:00+0000",
            "2028-03-31 00:00+0000",
        ]

    def test_a_leap_day_comes_when_it_comes(self) -> None:
        assert local(cron("0 0 29 2 *"), "2096-03-01", 1) == ["2104-02-29 00:00+0000"]

    @pytest.mark.parametrize(
        "text",
        [
            "0 0 30 2 *",
            "0 0 31 4,6 *",
            "61 * * * *",
            "* * * *",
            "* * * * * *",
            "@reboot",
            "0 0 12 * * ?",
            "? * * * *",
            "* * * ? *",
            "* * * * FRIDY",
            "* 24 * * *",
            "* * 0 * *",
            "* * 15W * *",
            "* * * * L",
            "*-5 * * * *",
            "5- * * * *",
            "* * * * MON-",
            ",1 * * * *",
            "* * * MON *",
            "",
            "*/0 * * * *",
            "9" * 5000 + " * * * *",
            "* * * * MON#6",
        ],
    )
    def test_a_schedule_that_never_matches_is_refused(self, text: str) -> None:
        with pytest.raises(ValueError, match=r"is not a cron expression: .*; write minute, hour"):
            check_cron(text)

    @pytest.mark.parametrize(
        ("text", "same"),
        [
            ("0 8 * * FRI-SUN", "0 8 * * 0,5,6"),
            ("0 8 * * SAT-MON", "0 8 * * 0,1,6"),
            ("0 8 * * 5-7", "0 8 * * 0,5,6"),
            ("0 8 * * FRI-TUE/2", "0 8 * * 5,0,2"),
            ("0 8 * * sun-7", "0 8 * * *"),
            ("0 8 * * 7-2", "0 8 * * 0,1,2"),
            ("0 8 * * Friday,sunday", "0 8 * * 0,5"),
            ("0 22-4 * * *", "0 22,23,0,1,2,3,4 * * *"),
            ("0 20-4/3 * * *", "0 20,23,2 * * *"),
            ("50-10/10 8 * * *", "0,10,50 8 * * *"),
            ("0 8 30-2 * *", "0 8 30,31,1,2 * *"),
            ("0 8 1 NOV-FEB *", "0 8 1 11,12,1,2 *"),
            ("0 8 1 December *", "0 8 1 12 *"),
            ("0 8 ? * MON", "0 8 * * 1"),
            ("0 8 1 * ?", "0 8 1 * *"),
            ("0 8 ? * ?", "0 8 * * *"),
            ("0 8 * * FRIL", "0 8 * * 5L"),
            ("0 8 * * 7#1", "0 8 * * 0#1"),
            ("@hourly", "0 * * * *"),
            ("@daily", "0 0 * * *"),
            ("@Midnight", "0 0 * * *"),
            ("@weekly", "0 0 * * SUN"),
            ("@monthly", "0 0 1 * *"),
            ("@yearly", "0 0 1 1 *"),
            (" @annually ", "0 0 1 1 *"),
        ],
    )
    def test_other_ways_to_write_cron_mean_the_same(self, text: str, same: str) -> None:
        check_cron(text)
        runs = [list(islice(next_runs(cron(each), NOON), 25)) for each in (text, same)]
        assert runs[0] == runs[1]

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("@reboot", "'@reboot' is not one of @hourly, @daily"),
            ("0 0 12 ? * MON", "without seconds it is '0 12 \\* \\* MON', with weekdays by name"),
            ("0 0 12 * * ? 2027", "without seconds it is '0 12 \\* \\* \\*'"),
            ("* * * * * *", "it has 6 fields instead of 5"),
            ("* ? * * *", "'\\?' is only for the day or the weekday; write '\\*' for the hour"),
            ("* * * * FRIDY", r"'FRIDY' is not a weekday \(0 to 7, or SUN to SAT\)"),
            ("0 25 * * *", r"'25' is not an hour \(0 to 23\)"),
            ("* * * 13 *", r"'13' is not a month \(1 to 12, or JAN to DEC\)"),
            ("*/0 * * * *", "the step '0' of the minute is not a number from 1 to 99"),
        ],
    )
    def test_what_is_refused_is_explained(self, text: str, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            check_cron(text)

    @given(st.text(alphabet="0123459*/,-L#WMONSU?@ ", max_size=20))
    def test_cron_is_accepted_or_refused_in_words(self, text: str) -> None:
        try:
            check_cron(text)
        except ValueError:  # any other exception fails the test
            return
        assert next(next_runs(cron(text), NOON)) > NOON

    def test_an_unknown_zone_is_reported(self) -> None:
        with pytest.raises(ValueError, match="unknown time zone 'Europe/Berln'; did you mean"):
            zone_of("Europe/Berln")


SCHEDULES = st.one_of(
    st.builds(Schedule, every=st.floats(1, 1e7)),
    st.builds(Schedule, every=st.integers(60, 86400).map(float), at=st.just(NOON)),
    st.builds(
        Schedule,
        cron=st.sampled_from(
            ["* * * * *", "*/7 1-3 * * *", "30 2 * * *", "0,59 1,2,3 * * SUN", "15 2 L * *"]
        ),
        timezone=st.sampled_from(["UTC", BERLIN, "America/New_York", "Australia/Lord_Howe"]),
    ),
)
TIMES = st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))


@given(SCHEDULES, TIMES)
def test_runs_come_in_order_and_after_the_time_asked_for(
    schedule: Schedule, after: datetime
) -> None:
    runs = [after, *islice(next_runs(schedule, after), 20)]
    assert all(first < second for first, second in pairwise(runs))
    assert all(run.tzinfo is UTC for run in runs)


@given(SCHEDULES, TIMES)
def test_asking_after_each_run_gives_the_same_runs(schedule: Schedule, after: datetime) -> None:
    runs = list(islice(next_runs(schedule, after), 10))
    assert [next(next_runs(schedule, run)) for run in runs[:-1]] == runs[1:]


class TestDue:
    def test_nothing_before_its_time(self) -> None:
        assert due(Schedule(every=3600), NOON, NOON + timedelta(minutes=59)) == Due()

    def test_a_run_is_due_at_its_time_and_not_again_once_handled(self) -> None:
        one = NOON + timedelta(hours=1)
        assert due(Schedule(every=3600), NOON, one) == Due((one,))
        assert due(Schedule(every=3600), one, one) == Due()

    @pytest.mark.parametrize(
        ("every", "grace", "late", "runs"),
        [
            (3600, None, 900, 1),
            (3600, None, 901, 0),
            (600, None, 300, 1),
            (600, None, 301, 0),
            (3600, 60.0, 60, 1),
            (3600, 60.0, 61, 0),
        ],
    )
    def test_a_late_run_is_missed(
        self, every: float, grace: float | None, late: float, runs: int
    ) -> None:
        one = NOON + timedelta(seconds=every)
        found = due(Schedule(every=every, grace=grace), NOON, one + timedelta(seconds=late))
        assert len(found.runs) == runs
        assert (found.missed is None) == bool(runs)

    def test_the_grace_of_cron_is_that_of_the_time_to_the_next_run(self) -> None:
        schedule = cron("0,5 * * * *")  # five minutes, then 55
        six_late = due(schedule, NOON - timedelta(minutes=1), NOON + timedelta(minutes=11))
        assert six_late.runs == (NOON + timedelta(minutes=5),)
        assert six_late.missed is not None
        assert six_late.missed.last == NOON

    def test_a_single_time_has_the_long_grace(self) -> None:
        found = due(Schedule(at=NOON), NOON - timedelta(days=1), NOON + timedelta(minutes=15))
        assert found.runs == (NOON,)

    def test_consecutive_missed_runs_are_reported_together(self) -> None:
        now = NOON + timedelta(hours=5, minutes=10)
        found = due(Schedule(every=3600), NOON, now)
        assert found.runs == (NOON + timedelta(hours=5),)
        assert str(found.missed) == (
            "4 runs from 2026-06-01T13:00:00+00:00 to 2026-06-01T16:00:00+00:00 were missed"
        )

    def test_a_single_missed_run_is_reported_as_one(self) -> None:
        found = due(Schedule(every=3600), NOON, NOON + timedelta(hours=1, minutes=50))
        assert str(found.missed) == "the run of 2026-06-01T13:00:00+00:00 was missed"

    def test_a_missed_run_is_reported_in_the_time_zone_of_its_schedule(self) -> None:
        found = due(cron("0 * * * *", BERLIN), NOON, NOON + timedelta(hours=1, minutes=50))
        assert str(found.missed) == "the run of 2026-06-01T15:00:00+02:00 was missed"

    @pytest.mark.parametrize("schedule", [Schedule(every=1), cron("* * * * *", BERLIN)])
    def test_years_without_a_server_cost_no_time(self, schedule: Schedule) -> None:
        begun = time.process_time()
        found = due(schedule, NOON - timedelta(days=4000), NOON + timedelta(seconds=10))
        assert time.process_time() - begun < 2
        assert found.runs[-1] == (NOON + timedelta(seconds=10) if schedule.every else NOON)
        assert found.missed is not None
        assert found.missed.more
        assert "more than" in str(found.missed)
        assert found.missed.last < found.runs[0]
        assert due(schedule, found.runs[-1], NOON + timedelta(seconds=10)) == Due()

    def test_a_schedule_that_ended_long_ago_costs_no_time(self) -> None:
        ended = NOON - timedelta(days=2000)
        found = due(Schedule(cron="* * * * *", until=ended), NOON - timedelta(days=4000), NOON)
        assert found.runs == ()
        assert found.missed is not None
        assert found.missed.last == ended

    def test_a_long_grace_does_not_start_a_thousand_runs(self) -> None:
        found = due(Schedule(every=60, grace=86400 * 30), NOON, NOON + timedelta(days=20))
        assert len(found.runs) == MAX_DUE

    @given(SCHEDULES, TIMES, st.floats(0, 1e6))
    def test_every_run_is_due_or_missed(
        self, schedule: Schedule, handled: datetime, seconds: float
    ) -> None:
        now = handled + timedelta(seconds=seconds)
        found = due(schedule, handled, now)
        assert all(handled < run <= now for run in found.runs)
        if found.missed is not None and not found.missed.more:
            passed = [run for run in islice(next_runs(schedule, handled), 1100) if run <= now]
            assert found.missed.count + len(found.runs) == len(passed)
            assert found.missed.first == passed[0]
