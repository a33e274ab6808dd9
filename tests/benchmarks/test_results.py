"""Results as tables, as JSON, and as the block of figures in the README."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.readme import BEGIN, END, README, SHOWN, figures, shown_figures, with_figures
from benchmarks.results import Results, Row, Section
from benchmarks.tables import as_markdown, as_text

THROUGHPUT = Section(
    "Lines",
    "CPU µs",
    "orjson / Snapline",
    [
        Row("filter", {"Snapline": 2.0, "orjson": 3.456, "jq": 1234.5}, 1.728, 1.4),
        Row("errors", {"Snapline": 12.34, "orjson": 6.0}, 0.486, 0.5),
    ],
    at_least=True,
)
START = Section("Start", "CPU ms", "Snapline / imports", [Row("run", {"Snapline": 200}, 1.6, 1.5)])
RESULTS = Results("A processor, 2 cores", "3.11.9", False, [THROUGHPUT, START])


def test_the_text_has_a_column_for_everyone_and_marks_goals_that_are_missed() -> None:
    assert as_text(THROUGHPUT).splitlines() == [
        "Lines, CPU µs  Snapline  orjson     jq  ratio  goal",
        "filter                2    3.46  1,234   1.73  ≥ 1.4",
        "errors             12.3       6      –   0.49  ≥ 0.5 MISSED",
        "ratio: orjson / Snapline",
    ]


def test_a_goal_may_be_a_largest_ratio() -> None:
    assert as_text(START).splitlines()[1].endswith("1.60  ≤ 1.5 MISSED")


def test_a_row_may_have_no_goal() -> None:
    section = Section("Scripts", "CPU µs", "the figure", [Row("a row", {"Snapline": 2.0}, 2.0)])
    assert as_text(section).splitlines()[1] == "a row                   2   2.00"


def test_markdown_has_the_same_columns_without_goals() -> None:
    assert as_markdown(THROUGHPUT).splitlines() == [
        "| Lines, CPU µs | Snapline | orjson | jq | orjson / Snapline |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| filter | 2 | 3.46 | 1,234 | 1.73 |",
        "| errors | 12.3 | 6 | – | 0.49 |",
    ]


def test_a_bar_in_a_title_does_not_end_a_cell_of_markdown() -> None:
    section = Section("Expressions", "CPU ns", "the ratio", [Row("`$a || $b`", {}, 1.0)])
    assert as_markdown(section).splitlines()[2] == "| `$a \\|\\| $b` | 1.00 |"


def test_results_are_read_as_they_were_written(tmp_path: Path) -> None:
    RESULTS.write(tmp_path / "build" / "bench.json")
    assert Results.read(tmp_path / "build" / "bench.json") == RESULTS


def test_the_figures_replace_the_old_ones_and_nothing_else() -> None:
    text = with_figures(f"before\n{BEGIN}\nold\n{END}\nafter\n", RESULTS)
    assert text == f"before\n{figures(RESULTS)}\nafter\n"
    assert with_figures(text, RESULTS) == text


def test_a_text_without_the_block_is_refused() -> None:
    with pytest.raises(ValueError, match="no block of figures"):
        with_figures("# Title\n", RESULTS)


def test_the_figures_of_a_quick_run_mention_it() -> None:
    quick = Results("A processor", "3.11.9", True, [])
    assert "a quick run" in figures(quick)
    assert "a quick run" not in figures(RESULTS)


def test_the_readme_shows_its_results_as_the_command_writes_them() -> None:
    assert shown_figures(README.read_text()) == figures(Results.read(SHOWN))
