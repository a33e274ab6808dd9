"""pytest runs the examples of the snap packages that it collects, once they are installed."""

from __future__ import annotations

from collections.abc import Callable

import pytest

pytest_plugins = ["pytester"]

DOUBLE = '''\
"""Double the field `n` of each document."""

from engine.sdk import Example, Snap


class Double(Snap):
    stateful = False
    examples = (
        Example("two becomes four", given=[{{"n": 2}}], expect=[{{"n": 4}}]),
        Example("three becomes six", given=[{{"n": 3}}], expect=[{{"n": {six}}}]),
    )

    def process(self, document):
        return {{"n": 2 * document["n"]}}
'''

RunPytest = Callable[..., pytest.RunResult]


@pytest.fixture
def run_pytest(pytester: pytest.Pytester) -> RunPytest:
    """Run pytest on a package `my_snaps` of the given files."""
    pytester.syspathinsert()

    def run(*arguments: str, installed: bool = True, **files: str) -> pytest.RunResult:
        package = pytester.mkdir("my_snaps")
        for name, text in files.items():
            (package / f"{name}.py").write_text(text)
        if installed:
            information = pytester.mkdir("my_snaps-0.1.dist-info")
            (information / "METADATA").write_text("Name: my-snaps\nVersion: 0.1\n")
            (information / "entry_points.txt").write_text("[engine.snaps]\nmine = my_snaps\n")
        return pytester.runpytest_inprocess("-q", "-rA", "-p", "no:cacheprovider", *arguments)

    return run


def test_the_examples_of_a_collected_package_are_tests(run_pytest: RunPytest) -> None:
    ran = run_pytest("my_snaps", double=DOUBLE.format(six=6))
    assert "PASSED my_snaps/double.py::Double: two becomes four" in ran.stdout.str()
    assert "PASSED my_snaps/double.py::Double: three becomes six" in ran.stdout.str()
    assert ran.ret == 0


def test_a_wrong_example_fails_and_says_what_it_gave(run_pytest: RunPytest) -> None:
    ran = run_pytest(double=DOUBLE.format(six=7))
    assert "FAILED my_snaps/double.py::Double: three becomes six" in ran.stdout.str()
    assert (
        "Double, 'three becomes six': the view 'output' produced\n  [{'n': 6}]" in ran.stdout.str()
    )
    assert ran.ret == 1


def test_a_snap_that_cannot_be_loaded_is_an_error_with_file_and_line(
    run_pytest: RunPytest,
) -> None:
    ran = run_pytest("my_snaps", double=DOUBLE.format(six=6) + "\n1 / 0\n")
    assert "cannot load the snap Double: " in ran.stdout.str()
    assert "my_snaps/double.py:16: ZeroDivisionError" in ran.stdout.str()
    assert ran.ret == 2


def test_a_snap_in_a_file_of_another_name_is_an_error(run_pytest: RunPytest) -> None:
    ran = run_pytest("my_snaps", numbers=DOUBLE.format(six=6))
    assert "the class Double is in " in ran.stdout.str()
    assert "numbers.py:6, but a snap's file is named after it: double.py" in ran.stdout.str()
    assert ran.ret == 2


def test_all_rules_are_checked_on_request(run_pytest: RunPytest) -> None:
    text = DOUBLE.format(six=6).replace("each document.", "each document")
    ran = run_pytest("my_snaps", "--snap-conformance", double=text)
    assert "PASSED my_snaps/double.py::Double: no input is no failure" in ran.stdout.str()
    assert "must begin with one sentence on a line of its own" in ran.stdout.str()
    assert "1 failed" in ran.stdout.str()


def test_files_that_hold_no_snap_are_left_alone(run_pytest: RunPytest) -> None:
    ran = run_pytest("my_snaps", helper="1 / 0", address="class Address(dict): ...")
    assert "no tests ran" in ran.stdout.str()


def test_a_package_that_is_not_installed_is_left_alone(run_pytest: RunPytest) -> None:
    ran = run_pytest("my_snaps", installed=False, double=DOUBLE.format(six=7))
    assert "no tests ran" in ran.stdout.str()


def test_an_example_that_fails_shows_the_code_of_the_snap_and_not_that_of_the_engine(
    run_pytest: RunPytest,
) -> None:
    broken = DOUBLE.format(six=6).replace('2 * document["n"]', 'document["m"]')
    ran = run_pytest("my_snaps", double=broken)
    ran.assert_outcomes(failed=2)
    ran.stdout.fnmatch_lines(["KeyError: 'm'", '  File "*double.py", line *, in process'])
    ran.stdout.no_fnmatch_line("*engine/run/*")


def test_an_example_with_wrong_settings_shows_the_problem_alone(run_pytest: RunPytest) -> None:
    wrong = DOUBLE.format(six=6).replace('"three becomes six"', '"wrong", settings={"x": 1}')
    ran = run_pytest("my_snaps", double=wrong)
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["*unknown-setting  Double: there is no setting 'x'"])
    ran.stdout.no_fnmatch_line("*engine/plan/*")


def test_true_is_not_the_number_one_in_an_example(run_pytest: RunPytest) -> None:
    same = DOUBLE.format(six="True").replace('2 * document["n"]', "1")
    ran = run_pytest("my_snaps", double=same.replace('"n": 4', '"n": 1'))
    ran.assert_outcomes(passed=1, failed=1)
    ran.stdout.fnmatch_lines(["  [[]{'n': True}]"])


def test_examples_that_are_no_tuple_are_an_error_with_file_and_line(run_pytest: RunPytest) -> None:
    one = 'from engine.sdk import Example, Snap\nclass One(Snap):\n    examples = Example("x")\n'
    ran = run_pytest("my_snaps", one=one)
    ran.assert_outcomes(errors=1)
    ran.stdout.fnmatch_lines(["the class One in *one.py:2 sets examples to *a tuple of Example*"])
