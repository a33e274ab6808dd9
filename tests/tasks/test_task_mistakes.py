"""All mistakes of a task file are reported at once, each with its location and a hint."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.errors import ConfigurationError, InvalidPipelineError, Problem
from engine.registry import Registry, discover
from engine.tasks.definition.check import check_task
from engine.tasks.definition.loading import Overrides, check_parameters, load_tasks
from engine.tasks.definition.task_file import is_task_file, load_task, parse_task
from tests.tasks.task_files import (
    LEAST,
    SCHEDULED,
    codes,
    problem_in,
    written,
)

TRIGGERED = "type: triggered\npipeline: p.yaml\n"


@pytest.fixture(scope="module")
def registry() -> Registry:
    return discover()


class TestMistakes:
    def test_all_are_reported_at_once(self) -> None:
        text = (
            "name: a b\ntype: ultr\ninstances: 0\ntimeouts: {request: soon, strat: 1}\n"
            "limits: {body: 5 parsecs, queue: many}\nschedule: {cron: 61 * * * *, every: -1}\n"
        )
        assert sorted(codes(text)) == sorted(
            ["bad-name", "wrong-type", "missing-setting", "unknown-setting"]
            + ["bad-setting"] * 5
            + ["wrong-type", "bad-setting"]
        )

    @pytest.mark.parametrize(
        ("name", "said"),
        [("a/b", "'a/b'"), ("..", "'..'"), ("", "''"), ("é", "'é'"), ("a" * 101, "…'")],
    )
    def test_a_name_must_fit_into_a_url(self, name: str, said: str) -> None:
        assert f"{said} is not a valid name for a task" in problem_in(f"name: '{name}'\n{LEAST}")

    def test_the_name_of_the_file_must_be_a_name_too(self) -> None:
        (problem,) = parse_task(LEAST, "my task.yaml", {}).problems
        assert "the file's name 'my task' is not a valid name for a task" in problem.message
        assert "add 'name:'" in problem.hint

    def test_a_variable_that_is_not_set_is_named(self) -> None:
        said = problem_in(f"{LEAST}parameters: {{a: 'x${{env:NOWHERE}}'}}")
        assert "'a' reads the environment variable 'NOWHERE', which is not set" in said

    def test_an_invalid_variable_is_not_a_token(self) -> None:
        assert "without a variable name" in problem_in(f"{LEAST}bearer_token: ${{env:A-B}}")

    def test_an_empty_variable_does_not_turn_authentication_off(self) -> None:
        said = problem_in(f"{LEAST}bearer_token: ${{env:EMPTY}}", {"EMPTY": ""})
        assert "reads the environment variable 'EMPTY', which is empty" in said

    def test_variables_may_be_left_for_later(self) -> None:
        file = parse_task(f"{LEAST}bearer_token: ${{env:NOWHERE}}", "digits.yaml", None)
        assert file.problems == ()

    def test_a_token_that_no_header_can_carry_is_refused(self) -> None:
        assert "an HTTP header cannot carry" in problem_in(
            f"{LEAST}bearer_token: ${{env:B}}", {"B": "a\r\nb"}
        )

    def test_a_map_is_not_the_name_of_a_pipeline(self) -> None:
        assert "'pipeline': expected a string" in problem_in("type: ultra\npipeline: {a: 1}")

    @pytest.mark.parametrize(
        "text",
        [
            f"{SCHEDULED}",
            f"{SCHEDULED}schedule: {{}}",
            f"{SCHEDULED}schedule: {{every: 5m, cron: '* * * * *'}}",
            f"{SCHEDULED}schedule: {{at: 2027-01-01, until: 2026-01-01}}",
            f"{SCHEDULED}schedule: {{at: tomorrow}}",
            f"{SCHEDULED}schedule: {{every: 5m, timezone: Europe/Berln}}",
            f"{SCHEDULED}schedule: {{every: 5m, timezone: /etc/passwd}}",
            f"{SCHEDULED}schedule: {{every: 5m, timezone: Europe}}",
            f"{SCHEDULED}schedule: {{cron: 0 0 30 2 *}}",
            f"{SCHEDULED}schedule: {{cron: '* * * * * *'}}",
            f"{SCHEDULED}schedule: {{every: 0}}",
            f"{SCHEDULED}schedule: {{at: 9999-12-31T23:59, timezone: America/New_York}}",
            f"{SCHEDULED}instances: 2\nschedule: {{every: 5m}}",
            f"{SCHEDULED}limits: {{body: 5}}\nschedule: {{every: 5m}}",
            f"{LEAST}schedule: {{every: 5m}}",
            f"{LEAST}overlap: true",
            f"{LEAST}status_from_document: true",
            f"{LEAST}instances: 1001",
            f"{LEAST}instances: true",
            f"{LEAST}filtered_status: 99",
            f"{LEAST}allowed_origins: https://example.org",
            f"{LEAST}allowed_origins: ['https://example.org/path']",
            f"{LEAST}timeouts: 5",
            f"{LEAST}parameters: [a]",
            f"{LEAST}parameters: {{a: [b]}}",
            f"{LEAST}bearer_token: [b]",
            f"{LEAST}limits: {{body: 0}}",
            "type: triggered\npipeline: p.yaml\nfiltered_status: 200",
            "- a",
            "text",
        ],
    )
    def test_an_invalid_value_is_one_problem(self, text: str) -> None:
        assert problem_in(text)

    @given(st.text(alphabet="type:ulra-{}[]'\"&*!#\n 0123456789.", max_size=60))
    def test_no_text_trips_the_reader(self, text: str) -> None:
        assert parse_task(LEAST + text, "digits.yaml", {}) is not None


HUSH = "hush-hush"
WITH_A_SECRET = [
    f"{LEAST}bearer_token: [{HUSH}]",
    f"{LEAST}bearer_token: {HUSH}",
    f"{LEAST}bearer_token: '{HUSH}",
    f"{LEAST}bearer_token: !{HUSH}",
    f"{LEAST}bearer_token: *{HUSH}",
    f"{LEAST}bearer_token: a: {HUSH}",
    f"{LEAST}bearer_token: @{HUSH}",
    f"{LEAST}bearer_token: x\nbearer_token: {HUSH}",
    f"{LEAST}bearer_tokne: {HUSH}",
    f"{LEAST}parametres:\n  a: {HUSH}\n",
    f"{LEAST}parameters:\n  a: {{b: {HUSH}}}\n",
    f"{LEAST}parameters: {HUSH}\n",
    f"{LEAST}parameters:\n  a: {HUSH}\n  a: {HUSH}\n",
    f"{LEAST}parameters:\n  a: x\n  b: !{HUSH}\n",
    f"{LEAST}parameters:\n  a: x\n  b: y: {HUSH}\n",
    f"{{type: ultr, bearer_token: {HUSH}}}",
    f"- bearer_token: {HUSH}",
    f"{LEAST}parameters:\n  token: {HUSH}\n  tokn: {HUSH}\n",
    f"{LEAST}bearer_token: 1{HUSH}\nparameters: {{token: '${{env:NO}} {HUSH}'}}",
]


@pytest.mark.parametrize("text", WITH_A_SECRET)
def test_a_secret_is_in_no_message(text: str, tmp_path: Path, registry: Registry) -> None:
    problems = check_task(written(tmp_path, text), registry)
    assert problems
    assert HUSH not in "\n".join(map(str, problems))


@pytest.mark.parametrize("every", ["0.05", "0.999", "'0.5s'", "1e-9"])
def test_a_task_runs_every_second_at_most(every: str) -> None:
    problem = problem_in(f"{SCHEDULED}schedule: {{every: {every}}}")
    assert "is out of range" in problem
    assert "hint: a task can run every second at most" in problem


def test_every_second_is_possible() -> None:
    assert parse_task(f"{SCHEDULED}schedule: {{every: 1}}", "digits.yaml", {}).task is not None


class TestBearerToken:
    @pytest.mark.parametrize("value", ['""', "", "null", "' '"])
    @pytest.mark.parametrize("environment", [{}, None])
    def test_an_empty_one_is_refused(self, value: str, environment: dict[str, str] | None) -> None:
        text = f"{LEAST}bearer_token: {value}"
        (problem,) = parse_task(text, "digits.yaml", environment).problems
        assert problem.severity == "error"
        assert problem.where.line == 3
        assert "an empty 'bearer_token' would let everybody in" in problem.message
        assert "${env:NAME}" in problem.hint

    @pytest.mark.parametrize("value", ["${ORDER}", "${ENV:ORDER}", "${env.ORDER}", "${ ORDER }"])
    def test_a_variable_without_env_is_refused(self, value: str) -> None:
        said = problem_in(f"{LEAST}bearer_token: {value}", {"ORDER": "x"})
        assert "did you mean ${env:ORDER}?" in said

    def test_a_part_of_a_token_that_looks_like_a_variable_is_not_shown(self) -> None:
        said = problem_in(f"{LEAST}bearer_token: x-${{ORDER}}", {"ORDER": "x"})
        assert "did you mean ${env:NAME}?" in said
        assert "ORDER" not in said

    def test_an_environment_may_hold_what_looks_like_a_variable(self) -> None:
        file = parse_task(f"{LEAST}bearer_token: ${{env:B}}", "t.yaml", {"B": "${ORDER}"})
        assert file.problems == ()


class TestParameters:
    def test_a_variable_without_env_is_refused(self) -> None:
        said = problem_in(f"{LEAST}parameters: {{a: '${{ORDER}}'}}")
        assert "did you mean ${env:ORDER}?" in said

    def test_a_variable_without_env_in_a_longer_string_is_a_warning(self) -> None:
        file = parse_task(f"{LEAST}parameters: {{a: 'all of ${{ORDER}}'}}", "t.yaml", {})
        assert file.task is not None
        assert [problem.severity for problem in file.problems] == ["warning"]

    def test_are_checked_whatever_else_is_wrong(self, tmp_path: Path, registry: Registry) -> None:
        text = f"{LEAST}instances: -1\nparameters: {{tokn: '${{env:NO}}'}}"
        problems = check_task(written(tmp_path, text), registry)
        assert sorted(problem.code for problem in problems) == [
            "bad-setting",
            "missing-parameter",
            "unknown-parameter",
            "unset-variable",
        ]

    def test_an_empty_secret_is_reported_with_its_location_and_variable(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        text = f"{LEAST}bearer_token: ${{env:EMPTY}}\nparameters: {{token: '${{env:EMPTY}}'}}"
        problems = check_task(written(tmp_path, text, environment={"EMPTY": ""}), registry)
        assert [problem.where.line for problem in problems] == [3, 4]
        assert "the secret parameter 'token' is empty" in problems[1].message
        assert "EMPTY" in problems[1].hint

    def test_an_empty_secret_in_the_file_is_reported(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        (problem,) = check_task(written(tmp_path, LEAST + "parameters: {token: ''}"), registry)
        assert problem.where.line == 3
        assert "the secret parameter 'token' is empty" in problem.message

    def test_what_cannot_be_read_is_not_missing(self, tmp_path: Path, registry: Registry) -> None:
        for parameters in ("parameters: [token]", "parameters: {token: [a]}", "parametres: {a: b}"):
            (problem,) = check_task(written(tmp_path, LEAST + parameters), registry)
            assert problem.code in ("wrong-type", "unknown-setting")

    def test_a_secret_that_is_missing_is_to_come_from_the_environment(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        (problem,) = check_task(written(tmp_path, LEAST), registry)
        assert "add 'token: ${env:NAME}' to 'parameters:'" in problem.hint

    def test_the_pipeline_is_checked_for_its_type_whatever_else_is_wrong(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        pipeline = "snaps: {a: {snap: JSONGenerator, documents: [{}]}}"
        problems = check_task(written(tmp_path, LEAST + "instances: -1", pipeline), registry)
        assert [problem.code for problem in problems] == ["bad-setting", "ultra-input"]


class TestSchedule:
    @pytest.mark.parametrize("cron", ["0 0 30 2 *", "0 0 31 4,6 *", "0 0 30-31 FEB *"])
    def test_a_day_that_does_not_exist_never_matches(self, cron: str) -> None:
        said = problem_in(f"{SCHEDULED}schedule: {{cron: '{cron}'}}")
        assert f"'{cron}' never matches: the month does not have that day" in said

    @pytest.mark.parametrize("cron", ["0 0 32 2 *", "0 0 30 13 *", "x 0 30 2 *"])
    def test_other_mistakes_of_cron_keep_their_words(self, cron: str) -> None:
        assert "is not a cron expression" in problem_in(f"{SCHEDULED}schedule: {{cron: '{cron}'}}")

    @pytest.mark.parametrize(
        ("schedule", "name"),
        [
            ("at: '2020-01-01T10:00'", "at"),
            ("every: 5m, until: '2020-01-01'", "until"),
            ("cron: '* * * * *', until: '2020-01-01'", "until"),
            ("at: '2019-01-01', until: '2020-01-01'", "until"),
        ],
    )
    def test_one_that_has_passed_is_a_warning(self, schedule: str, name: str) -> None:
        file = parse_task(f"{SCHEDULED}schedule: {{{schedule}}}", "t.yaml", {})
        assert file.task is not None
        (problem,) = file.problems
        assert problem.severity == "warning"
        assert problem.message == f"'{name}' is in the past: the task will never run"
        assert problem.where.line == 3

    @pytest.mark.parametrize(
        "schedule", ["at: '2020-01-01', every: 1h", "at: '2020-01-01', grace: 3650d"]
    )
    def test_one_that_may_still_run_is_not(self, schedule: str) -> None:
        assert codes(f"{SCHEDULED}schedule: {{{schedule}}}") == []


class TestFit:
    @pytest.mark.parametrize(
        ("text", "kind", "meant"),
        [
            (f"{LEAST}limits: {{concurrent: 5}}", "ultra", "triggered"),
            (f"{TRIGGERED}limits: {{in_flight: 5}}", "triggered", "ultra"),
            (f"{TRIGGERED}limits: {{redeliveries: 5}}", "triggered", "ultra"),
            (
                f"{SCHEDULED}schedule: {{every: 1h}}\ntimeouts: {{request: 5}}",
                "scheduled",
                "ultra and triggered",
            ),
        ],
    )
    def test_a_setting_that_would_be_ignored_is_refused(
        self, text: str, kind: str, meant: str
    ) -> None:
        said = problem_in(text)
        assert f"does not apply to {kind} tasks" in said
        assert f"it applies to {meant} tasks" in said

    def test_settings_within_a_refused_one_are_not_reported(self) -> None:
        text = f"{SCHEDULED}schedule: {{every: 1h}}\nlimits: {{in_flight: 5, concurrent: 1}}"
        assert "'limits' does not apply" in problem_in(text)

    @pytest.mark.parametrize("origin", ["*", "https://example.org"])
    def test_an_origin_without_a_list_is_shown_in_one(self, origin: str) -> None:
        assert f'["{origin}"]' in problem_in(f"{LEAST}allowed_origins: '{origin}'")


class TestFiles:
    def test_a_task_file_is_not_a_pipeline(self, tmp_path: Path, registry: Registry) -> None:
        (problem,) = check_task(written(tmp_path, LEAST, "type: ultra\npipeline: q.yaml"), registry)
        assert problem.where.line == 2
        assert "is a task file, not a pipeline" in problem.message
        assert "q.yaml" in problem.hint

    @pytest.mark.parametrize("name", ["tasks/orders.yaml", "orders.task.yaml", "order_task.yml"])
    @pytest.mark.parametrize("text", ["", "# later\n"])
    def test_an_empty_task_file_says_what_a_task_needs(
        self, name: str, text: str, tmp_path: Path
    ) -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        assert is_task_file(path)
        (problem,) = load_task(path).problems
        assert problem.hint == "a task needs at least 'type:' and 'pipeline:'"

    def test_for_an_empty_file_of_unknown_kind_both_kinds_are_named(self, tmp_path: Path) -> None:
        path = tmp_path / "orders.yaml"
        path.write_text("")
        with pytest.raises(
            ConfigurationError, match=r"the file is empty: it is neither .*'snaps', nor .*'type'"
        ):
            is_task_file(path)

    def test_files_of_unknown_kind_are_reported_with_the_others(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        written(tmp_path, f"{LEAST}instances: 0\nparameters: {{token: x}}")
        (tmp_path / "empty.yaml").write_text("")
        (tmp_path / "other.yaml").write_text("colour: red")
        names = ["empty.yaml", "other.yaml", "nowhere.yaml", "digits.yaml"]
        problems = mistakes_of([tmp_path / name for name in names], registry)
        assert [(Path(problem.where.path).name, problem.code) for problem in problems] == [
            ("empty.yaml", "empty-file"),
            ("other.yaml", "wrong-type"),
            ("nowhere.yaml", "missing-file"),
            ("digits.yaml", "bad-setting"),
        ]

    def test_a_default_without_its_variable_is_reported_with_the_task(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        snaps = "snaps: {a: {snap: Mapper, mappings: {$a: _a}}}"
        written(tmp_path, LEAST, f"parameters: {{a: '${{env:NOWHERE_AT_ALL}}'}}\n{snaps}")
        (loaded,) = load_tasks([str(tmp_path / "digits.yaml")], registry, Overrides(), print)
        with pytest.raises(ConfigurationError, match=r"the task 'digits' of .*NOWHERE_AT_ALL"):
            check_parameters(loaded)

    def test_an_unknown_parameter_is_reported_with_the_problems_of_the_files(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        written(tmp_path, f"{LEAST}instances: 0")
        overrides = Overrides(parameters={"token": "x", "colour": "red"})
        with pytest.raises(ConfigurationError) as raised:
            load_tasks([str(tmp_path / "digits.yaml")], registry, overrides, print)
        assert "no pipeline has a parameter 'colour'" in str(raised.value)
        assert "'instances' must be from 1" in str(raised.value)

    def test_parameters_of_the_command_line_are_not_checked_if_a_pipeline_cannot_be_read(
        self, tmp_path: Path, registry: Registry
    ) -> None:
        written(tmp_path, f"{LEAST}parameters: {{token: '${{env:NOWHERE}}'}}", "snaps: [a")
        overrides = Overrides(parameters={"token": "x"})
        with pytest.raises(InvalidPipelineError) as raised:
            load_tasks([str(tmp_path / "digits.yaml")], registry, overrides, print)
        assert {Path(each.where.path).name for each in raised.value.problems} == {"p.yaml"}


def mistakes_of(paths: list[Path], registry: Registry) -> tuple[Problem, ...]:
    with pytest.raises(InvalidPipelineError) as raised:
        load_tasks([str(path) for path in paths], registry, Overrides(), print)
    return raised.value.problems
