"""Snaps are found by entry point and file name, and imported when they are used."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from importlib.metadata import entry_points
from pathlib import Path

import pytest

from engine.registry import GROUP
from engine.registry.packages import SnapPackage, snap_packages
from tests.registry.snap_files import DOUBLE, Discover, plain


class TestNames:
    def test_are_those_of_the_classes_that_the_files_are_named_after(
        self, discover: Discover
    ) -> None:
        found = discover(
            my_snaps_a={
                "__init__.py": "",
                "double.py": DOUBLE,
                "family/json_lines_parser.py": plain("JSONLinesParser"),
                "family/s3_reader.py": plain("S3Reader"),
            }
        )
        assert list(found) == ["Double", "JSONLinesParser", "S3Reader"]
        assert found["Double"].__module__ == "my_snaps_a.double"
        assert found["JSONLinesParser"].__name__ == "JSONLinesParser"
        assert "JsonLinesParser" not in found

    def test_are_known_without_importing_anything(self, discover: Discover) -> None:
        found = discover(
            my_snaps_b={"__init__.py": "raise SystemExit(3)", "double.py": DOUBLE, "b.py": "1 / 0"}
        )
        assert list(found) == ["Double"]
        assert "my_snaps_b" not in sys.modules

    def test_come_from_a_package_that_is_a_single_module(self, discover: Discover) -> None:
        found = discover(double=DOUBLE)
        assert (list(found), found["Double"].__module__) == (["Double"], "double")

    def test_come_from_a_package_without_init_files(self, discover: Discover) -> None:
        found = discover(my_snaps_c={"family/double.py": DOUBLE})
        assert found["Double"].__module__ == "my_snaps_c.family.double"

    def test_come_from_a_zip_file(
        self, discover: Discover, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        with zipfile.ZipFile(tmp_path / "packed.zip", "w") as packed:
            packed.writestr("my_snaps_d/__init__.py", "")
            packed.writestr("my_snaps_d/family/__init__.py", "")
            packed.writestr("my_snaps_d/family/double.py", DOUBLE)
        monkeypatch.syspath_prepend(tmp_path / "packed.zip")
        found = discover.installed("my_snaps_d")  # type: ignore[attr-defined]
        assert list(found) == ["Double"]
        assert "my_snaps_d" not in sys.modules
        assert found["Double"].__module__ == "my_snaps_d.family.double"

    def test_come_from_the_init_file_of_a_folder_of_that_name(self, discover: Discover) -> None:
        found = discover(my_snaps_w={"family/double/__init__.py": DOUBLE})
        assert (list(found), found["Double"].__module__) == (["Double"], "my_snaps_w.family.double")

    def test_of_a_package_that_is_announced_twice_are_there_once(self, discover: Discover) -> None:
        discover(my_snaps_x={"family/double.py": DOUBLE})
        found = discover.installed("my_snaps_x", "my_snaps_x", "my_snaps_x.family")  # type: ignore[attr-defined]
        assert found["Double"].__module__ == "my_snaps_x.family.double"

    def test_do_not_come_from_shared_and_private_files(self, discover: Discover) -> None:
        found = discover(
            my_snaps_e={
                "shared/base.py": plain("Base"),
                "family/shared/double.py": DOUBLE,
                "_hidden.py": plain("Hidden"),
                "__main__.py": plain("Main"),
                "helper.py": "class Other(dict): ...",
                "address.py": "class Address: ...",
            }
        )
        assert list(found) == []

    def test_two_snaps_may_differ_in_capitals_alone(self, discover: Discover) -> None:
        found = discover(
            my_snaps_f={"url_get.py": plain("URLGet")}, my_snaps_g={"url_get.py": plain("UrlGet")}
        )
        assert found["URLGet"].__module__ == "my_snaps_f.url_get"
        assert found["UrlGet"].__module__ == "my_snaps_g.url_get"


THREE = """\
snaps:
  make: {snap: JSONGenerator, documents: [{a: 1}]}
  keep: {snap: Filter, filter: $a == 1}
  map: {snap: Mapper, mappings: {$b: $a}}
links: [make -> keep -> map]
"""
RUN = """\
import sys
from engine.cli import main
code = main(["run", "three.yaml"])
print(*sorted(name for name in sys.modules if name.split(".")[0] == "snaps"))
sys.exit(code)
"""


def test_packages_are_those_that_importlib_finds() -> None:
    modules = [entry.module for entry in sorted(entry_points(group=GROUP))]
    assert [package.module for package in snap_packages()] == modules
    assert SnapPackage("snaps", "snapline") in snap_packages()


@pytest.mark.parametrize("archive", [True, False])
def test_the_first_of_two_distributions_of_a_name_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, archive: bool
) -> None:
    for version, module in (("2.0", "newer"), ("1.0", "older")):
        folder = tmp_path / version / f"Their.Snaps-{version}.dist-info"
        folder.mkdir(parents=True)
        (folder / "METADATA").write_text(f"Name: Their.Snaps\nVersion: {version}\n")
        (folder / "entry_points.txt").write_text(
            f"[console_scripts]\na = b:c\n\n[engine.snaps]\n# snaps\ntheirs = {module}.all [x]\n"
        )
    with zipfile.ZipFile(tmp_path / "empty.zip", "w"):
        pass
    path = [str(tmp_path / "2.0"), str(tmp_path / "1.0"), str(tmp_path / "missing")]
    monkeypatch.setattr(sys, "path", [*path, str(tmp_path / "empty.zip")] if archive else path)
    assert [package.module for package in snap_packages()] == ["newer.all"]


def test_a_run_imports_the_snaps_that_it_uses_and_no_other(tmp_path: Path) -> None:
    (tmp_path / "three.yaml").write_text(THREE)
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    ran = subprocess.run(
        [sys.executable, "-c", RUN],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    imported = ran.stdout.splitlines()[-1].split()
    snaps = [name for name in imported if name.count(".") == 2 and ".shared" not in name]
    assert snaps == [
        "snaps.flow.filter",
        "snaps.transform.json_generator",
        "snaps.transform.mapper",
    ]
