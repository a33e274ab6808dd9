"""Named bearer tokens: as hashes in the task file or in a token file, which may change any time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from engine.cli import main
from engine.errors import ConfigurationError
from engine.tasks.definition.task import Task
from engine.tasks.definition.task_file import parse_task
from engine.tasks.definition.token_file import load_tokens, parse_tokens
from engine.tasks.definition.token_hash import TokenHash, digest_of, new_token, written_hash
from engine.tasks.front.access_control import AccessControl
from engine.tasks.front.authentication import Caller
from engine.tasks.front.reply import Reply
from engine.tasks.front.watched_file import WatchedFile
from tests.tasks.conftest import Serve, Served
from tests.tasks.task_files import LEAST, problem_in, task_of
from tests.tasks.wire import Answer, ask

ECHO = "snaps: {echo: {snap: Mapper, mappings: {$content: $}}}"
HASH = written_hash(digest_of("secret-of-ci"))


def line(name: str, token: str, more: str = "") -> str:
    return f"- {{name: {name}, hash: '{written_hash(digest_of(token))}'{more}}}\n"


def test_a_task_file_has_tokens_with_names_and_times() -> None:
    task = task_of(f"{LEAST}tokens:\n{line('ci', 'a')}{line('ada', 'b', ', expires: 2027-01-31')}")
    assert task.tokens == (
        TokenHash("ci", digest_of("a")),
        TokenHash("ada", digest_of("b"), datetime(2027, 1, 31, tzinfo=UTC)),
    )
    assert task.is_guarded


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{name: ci, hash: secret-of-ci}", "'hash': expected 'sha256:' and 64 hexadecimal digits"),
        ("{name: ci, hash: 'sha256:12'}", "make a token and its hash with: engine token new"),
        (f"{{name: 'c i', hash: '{HASH}'}}", "'c i' is not a valid name for a token"),
        (f"{{name: ci, hash: '{HASH}', expires: soon}}", "'soon' is not a date or time"),
        (f"{{name: ci, hash: '{HASH}', token: x}}", "there is no setting 'token'"),
        ("secret-of-ci", "expected a map"),
        ("{name: ci}", "the setting 'hash' is missing"),
    ],
)
def test_a_mistake_in_a_token_is_named_and_never_shows_its_value(text: str, message: str) -> None:
    problem = problem_in(f"{LEAST}tokens: [{text}]\n")
    assert message in problem
    assert "secret-of-ci" not in problem
    assert "tokens: [" not in problem


def test_two_tokens_of_one_name_are_a_mistake() -> None:
    problem = problem_in(f"{LEAST}tokens:\n{line('ci', 'a')}{line('ci', 'b')}")
    assert "there is already a token 'ci'" in problem


@pytest.mark.parametrize("text", ["tokens:", "tokens: null", "token_file: ''", "jwt:"])
def test_an_empty_guard_is_refused(text: str) -> None:
    key = text.partition(":")[0]
    assert f"an empty {key!r} would let everybody in" in problem_in(f"{LEAST}{text}\n")


def test_an_empty_list_of_tokens_lets_nobody_in() -> None:
    task = task_of(f"{LEAST}tokens: []\n")
    decision = AccessControl().of(task).check([("authorization", "Bearer ")])
    assert isinstance(decision, Reply)
    assert decision.status == 401


def test_tokens_do_not_apply_to_schedules() -> None:
    text = f"type: scheduled\npipeline: p.yaml\nschedule: {{every: 5m}}\ntokens:\n{line('a', 'b')}"
    (problem,) = parse_task(text, "digits.yaml", {}).problems
    assert "'tokens' does not apply to scheduled tasks" in problem.message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no 'tokens'"),
        ("tokens:\n", "the setting 'tokens' has no value"),
        ("- a\n", "has no 'tokens'"),
        ("tokens: [{name: ci, hash: ", "tokens.yaml"),
        ("tokens: [{name: ci, hash: secret-of-ci}]", "'hash': expected 'sha256:'"),
        ("token: []\ntokens: []\n", "there is no setting 'token'"),
    ],
)
def test_a_token_file_that_cannot_be_read_says_why(text: str, message: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        parse_tokens(text)
    assert message in str(raised.value)
    assert "secret-of-ci" not in str(raised.value)


def decided(task: Task, token: str) -> Caller | int:
    found = AccessControl().of(task).check([("authorization", f"Bearer {token}")])
    assert isinstance(found, Reply | Caller)
    return found if isinstance(found, Caller) else found.status


def test_each_token_has_its_name_and_the_old_setting_goes_on_working() -> None:
    text = f"{LEAST}bearer_token: ${{env:OLD}}\ntokens:\n{line('ci', 'one')}{line('ada', 'two')}"
    task = task_of(text, {"OLD": "old"})
    assert decided(task, "one") == Caller("ci", "ci")
    assert decided(task, "two") == Caller("ada", "ada")
    assert decided(task, "old") == Caller("", "bearer token")
    assert [decided(task, wrong) for wrong in ("", "ci", HASH, "on")] == [401] * 4


def test_an_expired_token_is_refused_and_told_so() -> None:
    task = task_of(f"{LEAST}tokens:\n{line('ci', 'one', ', expires: 2020-01-01')}")
    reply = AccessControl().of(task).check([("authorization", "Bearer one")])
    assert isinstance(reply, Reply)
    assert reply.status == 401
    assert b"the token has expired" in bytes(reply.body)  # type: ignore[arg-type]
    assert b"2020-01-01" in bytes(reply.body)  # type: ignore[arg-type]


def test_refusals_do_not_share_their_headers() -> None:
    access = AccessControl().of(task_of(f"{LEAST}tokens: []\n"))
    first, second = access.check([]), access.check([])
    assert isinstance(first, Reply)
    assert isinstance(second, Reply)
    assert first.headers is not second.headers


class TestWatchedFile:
    def file(self, folder: Path) -> tuple[Path, WatchedFile[tuple[TokenHash, ...]]]:
        path = folder / "tokens.yaml"
        path.write_text(f"tokens:\n{line('ci', 'one')}")
        return path, WatchedFile(str(path), "the token file", load_tokens)

    def names(self, file: WatchedFile[tuple[TokenHash, ...]]) -> list[str]:
        return [token.name for token in file.value]

    def test_it_is_read_again_once_it_no_longer_changes(self, tmp_path: Path) -> None:
        path, file = self.file(tmp_path)
        path.write_text(f"tokens:\n{line('ci', 'one')}{line('ada', 'two')}")
        file.look()
        assert self.names(file) == ["ci"]
        file.look()
        assert self.names(file) == ["ci", "ada"]

    @pytest.mark.parametrize("half", ["", "tokens:\n- {name: ci, ha", "tokens: [{name: ci}]"])
    def test_a_half_written_file_keeps_the_old_tokens(
        self, tmp_path: Path, half: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        path, file = self.file(tmp_path)
        path.write_text(half)
        for _ in range(5):
            file.look()
        assert self.names(file) == ["ci"]
        (record,) = caplog.records
        assert "cannot be read; the old ones stay valid" in record.getMessage()
        path.write_text(f"tokens:\n{line('new', 'one')}")
        file.look()
        file.look()
        assert self.names(file) == ["new"]

    def test_a_file_that_is_gone_keeps_the_old_tokens(self, tmp_path: Path) -> None:
        path, file = self.file(tmp_path)
        path.unlink()
        file.look()
        file.look()
        assert self.names(file) == ["ci"]


def call(served: Served, task: str, token: str, query: str = "") -> Answer:
    return ask(served.port, "GET", f"/tasks/{task}{query}", [("Authorization", f"Bearer {token}")])


def test_tokens_are_exchanged_while_the_server_runs(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    tokens = tmp_path / "secrets" / "tokens.yaml"
    tokens.parent.mkdir()
    tokens.write_text(f"tokens:\n{line('old', 'one')}")
    (tmp_path / "task.yaml").write_text(
        f"{LEAST}token_file: secrets/tokens.yaml\n".replace("p.", "echo.")
    )
    served = serve("task.yaml")
    assert call(served, "task", "one").status == 200
    assert call(served, "task", "one").json["auth"] == {"name": "old", "claims": {}}
    assert call(served, "task", "two").status == 401
    tokens.write_text(f"tokens:\n{line('new', 'two')}")
    served.wait_for(lambda: call(served, "task", "two").status == 200)
    assert call(served, "task", "one").status == 401
    tokens.write_text("tokens:\n- {name: new, ha")
    served.wait_for(lambda: "cannot be read; the old ones stay valid" in served.stderr)
    assert call(served, "task", "two").status == 200
    assert served.stderr.count("instance 1 is ready") == 1


def test_a_triggered_run_knows_who_called(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "who.yaml").write_text(
        "parameters: {REMOTE_USER: {default: nobody}}\n"
        "snaps: {who: {snap: Mapper, mappings: {$who: _REMOTE_USER}}}\n"
    )
    (tmp_path / "task.yaml").write_text(
        f"type: triggered\npipeline: who.yaml\ntokens:\n{line('ada', 'one')}"
    )
    served = serve("task.yaml")
    answer = call(served, "task", "one", "?REMOTE_USER=root")
    assert answer.json == [{"who": "ada"}]


def test_a_server_does_not_start_with_a_token_file_that_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "echo.yaml").write_text(ECHO)
    (tmp_path / "task.yaml").write_text(f"{LEAST}token_file: gone.yaml\n".replace("p.", "echo."))
    assert main(["serve", str(tmp_path / "task.yaml"), "--port", "0"]) == 2
    assert "gone.yaml" in capsys.readouterr().err


class TestCommand:
    def test_a_new_token_and_its_line_fit_together(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["token", "new", "--name", "ci", "--expires", "2027-01-31T18:00"]) == 0
        said = capsys.readouterr()
        token = said.out.strip()
        assert token.startswith("snapline_")
        assert token not in said.err
        line = said.err.rstrip().rpartition("\n")[2]
        (read,) = parse_tokens(f"tokens:\n{line}\n")
        expires = datetime(2027, 1, 31, 18, tzinfo=UTC)
        assert read == TokenHash("ci", digest_of(token), expires)

    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (["--name", "c i"], "--name: 'c i' is not a valid name"),
            (["--name", "ci", "--expires", "soon"], "--expires: 'soon' is not a date"),
        ],
    )
    def test_mistakes_are_named(
        self, arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["token", "new", *arguments]) == 2
        said = capsys.readouterr()
        assert message in said.err
        assert said.out == ""

    def test_no_two_tokens_are_the_same(self) -> None:
        assert len({new_token() for _ in range(100)}) == 100
