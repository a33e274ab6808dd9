"""A snap that cannot be used says why, and harms no other."""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from pathlib import Path

import pytest

from engine import api
from engine.errors import InvalidPipelineError, UnusableSnapError
from tests.registry.snap_files import DOUBLE, Discover, mistake_of, plain


class TestMistakes:
    def test_a_module_that_fails_costs_only_its_own_snap(
        self, discover: Discover, tmp_path: Path
    ) -> None:
        found = discover(
            my_snaps_h={"double.py": DOUBLE, "sad.py": plain("Sad") + "\nraise ValueError('boom')"}
        )
        assert list(found) == ["Double", "Sad"]
        assert found["Double"]
        path = tmp_path / "my_snaps_h" / "sad.py"
        assert f"cannot load the snap Sad: {path}:7: ValueError: boom" in mistake_of(found, "Sad")
        assert [name for name, _ in found.usable()] == ["Double"]

    def test_a_module_that_is_not_python_is_named_with_its_line(
        self, discover: Discover, tmp_path: Path
    ) -> None:
        found = discover(my_snaps_i={"sad.py": plain("Sad") + "\n\nif True\n"})
        path = tmp_path / "my_snaps_i" / "sad.py"
        assert f"{path}:8: SyntaxError: expected ':'" in mistake_of(found, "Sad")

    def test_a_library_that_is_missing_is_named(self, discover: Discover) -> None:
        found = discover(my_snaps_j={"sad.py": "import not_there_at_all\n" + plain("Sad")})
        mistake = mistake_of(found, "Sad")
        assert "sad.py:1: ModuleNotFoundError" in mistake
        assert mistake.endswith("install the package that provides the module 'not_there_at_all'")

    def test_the_line_is_that_in_the_package_and_not_in_a_library(
        self, discover: Discover, tmp_path: Path
    ) -> None:
        found = discover(
            my_snaps_k={
                "sad.py": "from my_snaps_k.shared.words import WORDS\n" + plain("Sad"),
                "shared/words.py": "import json\n\nWORDS = json.loads('{')\n",
            }
        )
        path = tmp_path / "my_snaps_k" / "shared" / "words.py"
        assert f"cannot load the snap Sad: {path}:3: JSONDecodeError" in mistake_of(found, "Sad")

    def test_a_module_that_ends_the_process_is_reported(self, discover: Discover) -> None:
        found = discover(my_snaps_l={"sad.py": plain("Sad") + "\nraise SystemExit(3)"})
        assert "sad.py:7: SystemExit: 3" in mistake_of(found, "Sad")

    def test_a_broken_package_is_named_by_its_init_file(self, discover: Discover) -> None:
        found = discover(my_snaps_m={"__init__.py": "1 / 0", "double.py": DOUBLE})
        assert "my_snaps_m/__init__.py:1: ZeroDivisionError" in mistake_of(found, "Double")

    def test_a_class_that_is_not_a_snap_is_named(self, discover: Discover) -> None:
        found = discover(my_snaps_n={"sad.py": "\nclass Sad(dict): ...\n"})
        mistake = mistake_of(found, "Sad")
        assert "the class Sad in " in mistake
        assert mistake.endswith("sad.py:2 is not a snap; derive it from engine.sdk.Snap")

    def test_an_abstract_class_is_named_with_what_it_lacks(self, discover: Discover) -> None:
        text = (
            "from abc import ABC, abstractmethod\nfrom engine.sdk import Snap\n"
            "class Sad(Snap, ABC):\n    @abstractmethod\n    def answer(self): ...\n"
        )
        found = discover(my_snaps_o={"sad.py": text})
        assert "sad.py:3 is abstract; define answer in it" in mistake_of(found, "Sad")

    @pytest.mark.parametrize("kind", ["Missing", "tuple[SadRow, ...]"])
    def test_a_broken_settings_class_is_named(self, discover: Discover, kind: str) -> None:
        text = (
            "from __future__ import annotations\n"
            "from engine.sdk import Settings, Snap, setting\n"
            "class SadRow(Settings):\n    key: Gone = setting(help='A key.')\n"
            f"class SadSettings(Settings):\n    rows: {kind} = setting(help='Rows.')\n"
            "class Sad(Snap[SadSettings]): ...\n"
        )
        found = discover(**{f"my_snaps_p{len(kind)}": {"sad.py": text}})
        broken, gone = ("SadSettings", "Missing") if kind == "Missing" else ("SadRow", "Gone")
        mistake = mistake_of(found, "Sad")
        assert f"the settings class {broken} of Sad in " in mistake
        assert f"sad.py:7 is broken: NameError: name '{gone}' is not defined" in mistake

    @pytest.mark.parametrize(
        ("package", "start", "reason"),
        [
            ("my_snaps_v", "raise BaseException('no')", "sad.py:1: BaseException: no"),
            (
                "my_snaps_w",
                "class Mute(Exception):\n    def __str__(self): raise ValueError\nraise Mute",
                "sad.py:3: Mute; fix that line",
            ),
            ("my_snaps_x", "x = '\0'", "null bytes"),
        ],
    )
    def test_a_module_that_fails_in_an_unusual_way_is_reported(
        self, discover: Discover, package: str, start: str, reason: str
    ) -> None:
        found = discover(**{package: {"sad.py": f"{start}\n{plain('Sad')}"}})
        assert reason in mistake_of(found, "Sad")

    def test_a_default_of_the_wrong_type_is_named(self, discover: Discover) -> None:
        text = (
            "from engine.sdk import Settings, Snap, setting\n"
            "class SadSettings(Settings):\n    size: int = setting(default='x', help='Size.')\n"
            "class Sad(Snap[SadSettings]): ...\n"
        )
        found = discover(my_snaps_y={"sad.py": text})
        assert "the default of 'size' is 'x': Expected `int`, got `str`" in mistake_of(found, "Sad")

    def test_a_default_that_is_not_an_expression_is_named_with_its_type(
        self, discover: Discover
    ) -> None:
        text = (
            "from engine.sdk import Expression, Settings, Snap, setting\n"
            "class SadSettings(Settings):\n"
            "    key: Expression = setting(default='$a', help='Key.')\n"
            "class Sad(Snap[SadSettings]): ...\n"
        )
        found = discover(my_snaps_yy={"sad.py": text})
        mistake = mistake_of(found, "Sad")
        assert "the default of 'key' is '$a': Expected `Expression`, got `str`" in mistake

    def test_a_module_that_the_package_itself_lacks_is_not_to_be_installed(
        self, discover: Discover
    ) -> None:
        found = discover(my_snaps_jj={"sad.py": "import my_snaps_jj.words\n" + plain("Sad")})
        mistake = mistake_of(found, "Sad")
        assert mistake.endswith("correct the import: the package 'my_snaps_jj' has no such module")

    @pytest.mark.parametrize(
        ("fact", "kind"),
        [
            ("views = 5", "Views"),
            ("since = 3", "str"),
            ("stateful = 'no'", "bool"),
            ("foreign = 'Filter'", "Foreign"),
            ("examples = (1,)", "a tuple of Example, such as (Example(...),)"),
            ("settings_class = 5", "a subclass of Settings"),
        ],
    )
    def test_a_fact_of_the_wrong_type_is_named(
        self, discover: Discover, fact: str, kind: str
    ) -> None:
        text = f"from engine.sdk import Snap\nclass Sad(Snap):\n    {fact}\n"
        found = discover(**{f"my_snaps_z{fact.split()[0]}": {"sad.py": text}})
        mistake = mistake_of(found, "Sad")
        assert f"sad.py:2 sets {fact.split()[0]} to '" in mistake
        assert mistake.endswith(f"its type must be {kind}")

    @pytest.mark.parametrize(
        "packages",
        [
            pytest.param({"my_snaps_q": ["a/double.py", "b/double.py"]}, id="one package"),
            pytest.param({"my_snaps_r": ["double.py"], "my_snaps_s": ["double.py"]}, id="two"),
        ],
    )
    def test_two_snaps_of_one_name_are_both_named(
        self, discover: Discover, tmp_path: Path, packages: dict[str, list[str]]
    ) -> None:
        files = {
            package: {**dict.fromkeys(names, DOUBLE), "other.py": plain("Other")}
            if package != "my_snaps_s"
            else dict.fromkeys(names, DOUBLE)
            for package, names in packages.items()
        }
        found = discover(**files)
        first, second = (
            tmp_path / package / name for package, names in packages.items() for name in names
        )
        assert mistake_of(found, "Double").startswith(
            f"there are 2 snaps called Double: {first} and {second}"
        )
        assert found["Other"]

    def test_a_package_that_is_not_there_does_not_stop_the_others(
        self, discover: Discover, caplog: pytest.LogCaptureFixture
    ) -> None:
        discover(my_snaps_t={"double.py": DOUBLE})
        found = discover.installed("my_snaps_t", "not_there_at_all")  # type: ignore[attr-defined]
        assert list(found) == ["Double"]
        assert "cannot find the snap package 'not_there_at_all'" in caplog.text

    def test_is_an_error_that_crosses_processes(self, discover: Discover) -> None:
        found = discover(my_snaps_u={"sad.py": plain("Sad") + "\n1 / 0"})
        with pytest.raises(UnusableSnapError) as caught:
            found["Sad"]
        assert str(pickle.loads(pickle.dumps(caught.value))) == str(caught.value)

    def test_are_reported_where_the_pipeline_uses_the_snap(
        self, discover: Discover, tmp_path: Path
    ) -> None:
        found = discover(my_snaps_v={"sad.py": plain("Sad") + "\n1 / 0"})
        pipeline = tmp_path / "sad.yaml"
        pipeline.write_text("snaps:\n  one: {snap: Sad}\n  two: {snap: Union}\n")
        with pytest.raises(InvalidPipelineError) as caught:
            api.compile_plan(pipeline, found)
        places = [(problem.code, str(problem.where)) for problem in caught.value.problems]
        assert ("unusable-snap", f"{pipeline}:2:15") in places


ONE = "snaps: {{one: {{snap: {name}}}}}"


def test_a_broken_snap_of_an_installed_package_stops_only_the_pipelines_that_use_it(
    tmp_path: Path,
) -> None:
    package, information = tmp_path / "their_snaps", tmp_path / "their_snaps-0.1.dist-info"
    package.mkdir()
    information.mkdir()
    (information / "METADATA").write_text("Name: their-snaps\nVersion: 0.1\n")
    (information / "entry_points.txt").write_text("[engine.snaps]\ntheirs = their_snaps\n")
    (package / "fine.py").write_text(plain("Fine"))
    (package / "sad.py").write_text(plain("Sad") + "\n1 / 0\n")
    for name in ("Fine", "Sad"):
        (tmp_path / f"{name}.yaml").write_text(ONE.format(name=name))
    fine, sad = (run_engine(tmp_path, "run", f"{name}.yaml") for name in ("Fine", "Sad"))
    assert (fine.returncode, fine.stdout) == (0, "{}\n")
    assert sad.returncode == 2
    assert "Sad.yaml:1:21  unusable-snap  cannot load the snap Sad: " in sad.stderr
    assert f"{package / 'sad.py'}:7: ZeroDivisionError: division by zero" in sad.stderr


def run_engine(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = os.pathsep.join([str(folder), str(Path(__file__).parents[2])])
    return subprocess.run(
        [sys.executable, "-m", "engine", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=False,
    )
