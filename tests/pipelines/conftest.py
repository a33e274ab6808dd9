"""Import the scripts of the pipelines as modules, without an executor, TensorFlow or LiteRT."""

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

import pytest

PIPELINES = Path(__file__).resolve().parents[2] / "pipelines"


class FakeTool:
    @staticmethod
    def ensure(*wanted: str) -> None:
        pass

    @staticmethod
    def get_drop_doc() -> dict[str, str]:
        return {"snaplogic_flag": "drop"}


def load_script(name: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    tool = types.ModuleType("snaplogic.tool")
    tool.SLTool = FakeTool  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "snaplogic", types.ModuleType("snaplogic"))
    monkeypatch.setitem(sys.modules, "snaplogic.tool", tool)
    scripts = PIPELINES / "scripts"
    monkeypatch.syspath_prepend(scripts)  # for the modules of the scripts
    spec = importlib.util.spec_from_file_location(f"script_{name}", scripts / f"{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, module)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def build_model(monkeypatch: pytest.MonkeyPatch) -> Any:
    return load_script("build_model", monkeypatch)


@pytest.fixture
def model_tester(monkeypatch: pytest.MonkeyPatch) -> Any:
    return load_script("test_model", monkeypatch)


@pytest.fixture
def predictor(monkeypatch: pytest.MonkeyPatch) -> Any:
    return load_script("predict", monkeypatch)
