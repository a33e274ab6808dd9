"""`engine eval`, as a user calls it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from engine.cli import main
from engine.cli.repl import Repl, describe
from engine.expressions import evaluate


def test_prints_the_value_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "$a.map(x => x + _p)", "--doc", '{"a": [1, 2]}', "--param", "p=!"]) == 0
    assert capsys.readouterr().out == '["1!","2!"]\n'


def test_reads_document_and_library_from_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "doc.json").write_text('{"a": 2}', encoding="utf-8")
    (tmp_path / "tools.expr").write_text("{ twice: x => x * 2 }", encoding="utf-8")
    library, document = str(tmp_path / "tools.expr"), str(tmp_path / "doc.json")
    given = ["--doc", document, "--library", library, "--library", f"t={library}"]
    assert main(["eval", "[lib.tools.twice($a), lib.t.twice(5)]", *given]) == 0
    assert capsys.readouterr().out == "[4,10]\n"


def test_null_safe_access_and_time_zone_can_be_chosen(capsys: pytest.CaptureFixture[str]) -> None:
    text = "[$absent, Date.parse('2020-01-01T00:00:00Z').getHours()]"
    assert main(["eval", text, "--null-safe", "--timezone", "Asia/Tokyo"]) == 0
    assert capsys.readouterr().out == "[null,9]\n"


@pytest.mark.parametrize(("text", "code"), [("$absent", 1), ("1 +", 2), ("x => x", 1)])
def test_the_exit_code_tells_failures_apart(
    text: str, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", text, "--doc", "{}"]) == code
    assert capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ("orders.json", "--doc: 'orders.json' is neither an existing file nor JSON"),
        ("{a: ", "--doc: cannot read the JSON: the object that begins here does not end"),
        ("orders.csv", "--doc: cannot read 'orders.csv': "),
    ],
)
def test_a_document_that_cannot_be_read_is_named(
    given: str,
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("orders.csv").write_text("id,amount\n")
    assert main(["eval", "$a", "--doc", given]) == 2
    assert says in capsys.readouterr().err


@pytest.mark.parametrize(
    "given", [["--doc", "no-such-file.json"], ["--doc", "{"], ["--library", "no-such.expr"]]
)
def test_an_unreadable_file_is_a_usage_error(
    given: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "1", *given]) == 2
    assert capsys.readouterr().err.startswith("engine: ")


def test_an_unknown_time_zone_is_refused_at_once(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "1", "--timezone", "Europe/Berln"]) == 2
    message = "engine: there is no time zone `Europe/Berln`; did you mean `Europe/Berlin`?\n"
    assert capsys.readouterr().err == message


@pytest.mark.parametrize(
    ("text", "hint"),
    [("_p", "--param p=..."), ("lib.tools.twice(1)", "--library tools=FILE")],
)
def test_the_hint_names_the_option_for_missing_input(
    text: str, hint: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", text]) == 1
    assert hint in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("$a", "$a"),
        ("1 + $a.b.c", "$a"),
        ("$['a']", "$['a']"),
        ("$.get('a')", "$.get('a')"),
        ("jsonPath($, '$.a')", "jsonPath($, '$.a')"),
    ],
)
def test_a_field_without_a_document_says_how_to_pass_one(
    text: str, place: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", text]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"`{place}` cannot be read: there is no document\n")
    assert error.endswith("  hint: pass one with --doc JSON or --doc FILE\n")


def test_a_document_that_is_null_is_a_document(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "$a", "--doc", "null"]) == 1
    assert capsys.readouterr().err.startswith("`$a` cannot be read: null has no `a`\n")


@pytest.mark.parametrize("text", ["'x'.foo", "'%3$s'.sprintf('a')"])
def test_an_error_that_has_nothing_to_do_with_the_document_does_not_mention_it(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", text]) == 1
    assert "document" not in capsys.readouterr().err


def test_the_prompt_says_how_to_set_a_document(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("$a\n"))
    assert main(["eval"]) == 1
    assert "  hint: set one with :doc JSON or :doc FILE\n" in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", ".a.b"])
def test_an_expression_changed_by_the_shell_gets_a_hint(
    text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", text]) == 2
    assert "put the expression in single quotes" in capsys.readouterr().err


def test_an_expression_may_begin_with_a_minus(capsys: pytest.CaptureFixture[str]) -> None:
    for text in ("-$a", "-$a==-2", "-Math.abs($a)"):
        assert main(["eval", text, "--doc", '{"a": 2}']) == 0
    assert main(["eval", "--doc", "-1", "-$"]) == 0
    assert capsys.readouterr().out == "-2\ntrue\n-2\n1\n"


@pytest.mark.parametrize(
    ("text", "shown"), [("0 / 0", "NaN"), ("-1 / 0", "-Infinity"), ("-1/0", "-Infinity")]
)
def test_values_that_json_lacks_are_shown_by_name(
    text: str, shown: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", text]) == 0
    assert capsys.readouterr().out.strip() == shown


def test_without_an_expression_lines_are_read(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO('$\n:doc {"a": 1}\n$a + 1\n\n:quit\n5\n'))
    assert main(["eval"]) == 0
    assert capsys.readouterr().out == "null\n2\n"


def test_one_line_that_fails_makes_the_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("1\n1 +\n2\n"))
    assert main(["eval"]) == 1
    assert capsys.readouterr().out == "1\n2\n"


@pytest.mark.parametrize("word", ["exit", "quit", ":q", ":quit"])
def test_words_for_leaving_end_the_session(
    word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{word}\n1\n"))
    assert main(["eval"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("word", ["help", "?", ":help"])
def test_words_for_help_show_the_commands(
    word: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{word}\n"))
    assert main(["eval"]) == 0
    assert ":doc JSON|FILE" in capsys.readouterr().out


def test_a_terminal_session_starts_with_instructions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    answers = iter(["1 +", ":quit"])
    monkeypatch.setattr("engine.cli.repl.readline", None)
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda prompt: next(answers))
    assert main(["eval"]) == 0
    assert capsys.readouterr().out == "Enter an expression, :help or :quit\n"


def test_the_prompt_completes_fields_functions_and_methods() -> None:
    repl = Repl(evaluate, {"customer": {"name": "Ann"}, "cost": 1})
    assert repl.completions("$c") == ["$cost", "$customer"]
    assert repl.completions("$customer.n") == ["$customer.name"]
    assert "$customer.name.trim" in repl.completions("$customer.name.t")
    assert repl.completions("Math.hy") == ["Math.hypot"]
    assert repl.completions("parseF") == ["parseFloat"]
    assert repl.complete("parseF", 1) is None


def test_help_explains_a_function() -> None:
    assert "'  hi '.trim()  ->  \"hi\"" in describe("trim")
    assert describe("Math.round").startswith("round(x)  [Math]")
    assert describe("nosuch") == "there is no function `nosuch`"
