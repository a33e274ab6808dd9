"""Reading task files, and the problems that are reported."""

import pickle
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.errors import ConfigurationError
from engine.registry import Registry, discover
from engine.sdk.quantities import parse_duration, parse_size
from engine.sdk.settings import settings_of
from engine.tasks.definition import settings as settings_module
from engine.tasks.definition.check import check_names, check_task
from engine.tasks.definition.task import Limits, Timeouts
from engine.tasks.definition.task_file import (
    is_task_file,
    load_task,
    parse_task,
    task_of_pipeline,
)
from tests.tasks.task_files import LEAST, PIPELINE, SCHEDULED, task_of, written

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture(scope="module")
def registry() -> Registry:
    return discover()


class TestReading:
    def test_a_short_file_has_the_defaults(self) -> None:
        task = task_of(LEAST)
        assert (task.name, task.type, task.pipeline) == ("digits", "ultra", "tasks/p.yaml")
        assert (task.instances, task.bearer_token, task.allowed_origins) == (1, "", ())
        assert (task.filtered_status, task.status_from_document) == (204, False)
        assert task.timeouts == Timeouts(request=900, start=600, drain=30)
        assert task.limits == Limits(
            body=10 * 1024**2, queue=1000, in_flight=200, failures=5, redeliveries=5, concurrent=10
        )

    def test_reads_all_that_an_ultra_task_may_say(self) -> None:
        task = task_of(
            f"""\
name: my-digits_2
{LEAST}parameters: {{token: "${{env:A}}-x", batch: 007}}
instances: 2
bearer_token: ${{env:B}}
allowed_origins: ["https://Example.org:8080", "*"]
filtered_status: 200
timeouts: {{request: 1.5, start: 2m, drain: "1h"}}
limits: {{body: 5 MB, queue: 1, in_flight: 2, failures: 3, redeliveries: 0}}
""",
            {"A": "a", "B": "b"},
        )
        assert task.name == "my-digits_2"
        assert task.parameters == {"token": "a-x", "batch": "007"}
        assert (task.instances, task.bearer_token, task.filtered_status) == (2, "b", 200)
        assert task.allowed_origins == ("https://example.org:8080", "*")
        assert task.timeouts == Timeouts(request=1.5, start=120, drain=3600)
        assert task.limits == Limits(
            body=5_000_000, queue=1, in_flight=2, failures=3, redeliveries=0
        )

    def test_runs_may_overlap_if_triggered_and_not_if_scheduled(self) -> None:
        assert task_of("type: triggered\npipeline: p.yaml").overlap
        assert not task_of(f"{SCHEDULED}schedule: {{every: 5m}}").overlap
        assert task_of(f"{SCHEDULED}schedule: {{every: 5m}}\noverlap: true").overlap

    def test_times_of_a_schedule_are_in_its_zone(self) -> None:
        schedule = task_of(
            f"{SCHEDULED}schedule:\n  at: 2126-12-24T18:00\n  every: 1d\n"
            "  until: 2127-07-01\n  timezone: Europe/Berlin\n  grace: 1h\n  timeout: 10\n"
        ).schedule
        assert schedule is not None
        assert schedule.at == datetime(2126, 12, 24, 17, tzinfo=UTC)
        assert schedule.until == datetime(2127, 7, 1, 21, 59, 59, 999999, tzinfo=UTC)
        assert (schedule.every, schedule.grace, schedule.timeout) == (86400, 3600, 10)

    def test_a_time_may_name_its_offset(self) -> None:
        text = f"{SCHEDULED}schedule: {{at: '2126-12-24T18:00-05:00', timezone: Europe/Berlin}}"
        schedule = task_of(text).schedule
        assert schedule is not None
        assert schedule.at == datetime(2126, 12, 24, 23, tzinfo=UTC)

    def test_a_task_crosses_processes(self) -> None:
        task = task_of(f"{SCHEDULED}schedule: {{cron: 0 8 * * MON}}\nparameters: {{a: b}}")
        assert pickle.loads(pickle.dumps(task)) == task

    def test_a_task_does_not_print_its_secrets(self) -> None:
        task = task_of(f"{LEAST}bearer_token: ${{env:B}}\nparameters: {{a: hush}}", {"B": "hush"})
        assert "hush" not in repr(task)

    def test_a_pipeline_in_another_folder_has_a_tidy_name(self, tmp_path: Path) -> None:
        for name in ("tasks", "pipelines", "far/tasks"):
            (tmp_path / name).mkdir(parents=True)
        (tmp_path / "pipelines/p.yaml").write_text(PIPELINE)
        (tmp_path / "tasks/t.yaml").write_text("type: ultra\npipeline: ../pipelines/p.yaml")
        task = load_task(tmp_path / "tasks/t.yaml").task
        assert task is not None
        assert task.pipeline == str(tmp_path / "pipelines/p.yaml")

    def test_a_pipeline_behind_a_symbolic_link_is_found(self, tmp_path: Path) -> None:
        (tmp_path / "far/tasks").mkdir(parents=True)
        (tmp_path / "far/p.yaml").write_text(PIPELINE)
        (tmp_path / "tasks").symlink_to(tmp_path / "far/tasks")
        (tmp_path / "far/tasks/t.yaml").write_text("type: ultra\npipeline: ../p.yaml")
        task = load_task(tmp_path / "tasks/t.yaml").task
        assert task is not None
        assert Path(task.pipeline).read_text() == PIPELINE

    def test_a_missing_file_is_reported(self) -> None:
        with pytest.raises(ConfigurationError, match=r"there is no task file 'nowhere\.yaml'"):
            load_task("nowhere.yaml")

    def test_the_example_in_the_repository_is_valid(self, registry: Registry) -> None:
        file = load_task(ROOT / "tasks/digits.yaml", {"DIGITS_TOKEN": "t"})
        assert check_task(file, registry) == []

    def test_every_setting_is_explained_in_the_guide(self) -> None:
        guide = (ROOT / "docs/tasks.md").read_text()
        classes = [
            value
            for name, value in vars(settings_module).items()
            if name.endswith("Settings") and name != "Settings"
        ]
        assert len(classes) == 6
        for cls in classes:
            for name, fact in settings_of(cls).items():
                assert f"`{name}`" in guide
                assert fact.help.endswith(".")


class TestPipeline:
    def test_a_valid_task_has_no_problems(self, tmp_path: Path, registry: Registry) -> None:
        file = written(tmp_path, LEAST + "parameters: {token: '${env:TOKEN}', model: x}")
        assert check_task(file, registry) == []

    def test_parameters_must_be_those_of_the_pipeline(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        problems = check_task(written(tmp_path, LEAST + "parameters: {tokn: x}"), registry)
        assert [problem.code for problem in problems] == ["missing-parameter", "unknown-parameter"]
        assert "callers send it" in problems[0].hint
        assert problems[1].hint == "did you mean 'token'?"
        assert problems[1].where.line == 3

    def test_values_of_the_command_line_take_precedence(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        file = written(tmp_path, LEAST + "parameters: {model: x, token: '${env:NOWHERE}'}")
        assert file.task is None
        file = file.with_parameters({"token": "t", "model": "y"}, {})
        assert file.task is not None
        assert file.task.parameters == {"token": "t", "model": "y"}
        assert check_task(file, registry) == []

    def test_the_mistakes_of_the_pipeline_follow(self, tmp_path: Path, registry: Registry) -> None:
        file = written(tmp_path, LEAST + "instances: 0", "snaps: {a: {snap: Nothing}}")
        problems = check_task(file, registry)
        assert [problem.code for problem in problems] == ["bad-setting", "unknown-snap"]

    def test_a_missing_pipeline_is_reported(self, registry: Registry) -> None:
        (problem,) = check_task(parse_task(LEAST, "tasks/t.yaml", {}), registry)
        assert problem.code == "missing-file"
        assert problem.where.line == 2

    def test_two_tasks_with_the_same_name_are_reported(self) -> None:
        files = [parse_task(LEAST, name, {}) for name in ("a/t.yaml", "b/t.yaml", "c/u.yaml")]
        (problem,) = check_names([*files, task_of_pipeline("pipelines/v.yaml")])
        assert problem.code == "duplicate-name"
        assert str(problem.where).startswith("b/t.yaml:1:1")
        assert "from 'a/t.yaml'" in problem.message


class TestPipelineAsTask:
    @pytest.mark.parametrize(
        ("stem", "name"),
        [
            ("model_hosting", "model_hosting"),
            ("my model (2)", "my-model-2"),
            ("Prüfung.v2", "Prufung-v2"),
            ("数字", "pipeline"),
            ("..", "pipeline"),
            ("a" * 200, "a" * 100),
        ],
    )
    def test_is_named_after_its_file(self, stem: str, name: str) -> None:
        task = task_of_pipeline(f"folder/{stem}.yaml").task
        assert task is not None
        assert (task.name, task.type, task.pipeline) == (name, "ultra", f"folder/{stem}.yaml")

    def test_lacks_parameters_until_they_are_given(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        path = tmp_path / "p.yaml"
        path.write_text(PIPELINE)
        assert check_task(task_of_pipeline(path, {"token": "t"}), registry) == []
        (problem,) = check_task(task_of_pipeline(path), registry)
        assert "--param token=VALUE" in problem.hint


class TestKind:
    @pytest.mark.parametrize(
        ("text", "is_task"),
        [
            ("snaps: {}", False),
            ("pipeline: Model Hosting\nsnaps: {}", False),
            ("type: ultra\nsnaps: {}", False),
            ("pipeline: Model Hosting\nlinks: []", False),
            ("type: ultra", True),
            ("pipeline: other.yaml", True),
            ("pipeline: there", True),
            ("type: ultra\nname: '", True),
            ("snaps:\n  a: '", False),
        ],
    )
    def test_a_task_file_is_distinguished_from_a_pipeline_file(
        self, text: str, is_task: bool, tmp_path: Path
    ) -> None:
        (tmp_path / "there").write_text(PIPELINE)
        (tmp_path / "file.yaml").write_text(text)
        assert is_task_file(tmp_path / "file.yaml") is is_task

    @pytest.mark.parametrize(
        ("text", "hint"),
        [
            ("snap: {}", "did you mean 'snaps'"),
            ("tpe: ultra", "'type'"),
            ("colour: red", "docs/tasks.md"),
        ],
    )
    def test_a_file_that_is_neither_is_refused(self, text: str, hint: str, tmp_path: Path) -> None:
        (tmp_path / "file.yaml").write_text(text)
        with pytest.raises(ConfigurationError, match=f"(?s)neither a pipeline.*{hint}"):
            is_task_file(tmp_path / "file.yaml")


class TestQuantities:
    @pytest.mark.parametrize(
        ("written", "seconds"),
        [("30s", 30), ("5m", 300), ("2h", 7200), ("1 d", 86400), (7, 7), ("7", 7), ("0.5s", 0.5)],
    )
    def test_durations(self, written: str | float, seconds: float) -> None:
        assert parse_duration(written) == seconds

    @pytest.mark.parametrize(
        ("written", "size"),
        [("10 MiB", 10 * 1024**2), ("1kB", 1000), (5, 5), ("5", 5), ("1.5 GiB", 3 * 512 * 1024**2)],
    )
    def test_sizes(self, written: str | float, size: int) -> None:
        assert parse_size(written) == size

    @pytest.mark.parametrize("written", ["", "5 years", "m", "-5m", "1e5s", "५m", "5mm", "5m 3s"])
    def test_an_invalid_duration_is_reported(self, written: str) -> None:
        with pytest.raises(ValueError, match=re.escape(f"'{written}' is not a duration; write")):
            parse_duration(written)

    @pytest.mark.parametrize("written", [0, -1, "0s", "3651d", 1e300, 10**400, "9" * 400])
    def test_a_duration_has_bounds(self, written: str | float) -> None:
        with pytest.raises(ValueError, match="out of range"):
            parse_duration(written)

    @given(st.floats(0.001, 1000).map(lambda number: round(number, 3)), st.sampled_from("smhd"))
    def test_a_unit_multiplies(self, number: float, unit: str) -> None:
        factor = {"s": 1, "m": 60, "h": 3600, "d": 86400}[unit]
        assert parse_duration(f"{number:.3f}{unit}") == pytest.approx(number * factor)

    @settings(max_examples=300)
    @given(st.text() | st.integers() | st.floats(allow_nan=True))
    def test_nothing_but_value_errors(self, value: str | float) -> None:
        for parse in (parse_duration, parse_size):
            try:
                assert parse(value) > 0
            except ValueError:  # any other exception fails the test
                continue


def test_the_environment_is_read_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGITS_BEARER", "from-outside")
    task = parse_task(f"{LEAST}bearer_token: ${{env:DIGITS_BEARER}}", "t.yaml").task
    assert task is not None
    assert task.bearer_token == "from-outside"
