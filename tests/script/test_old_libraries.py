"""Scripts of 2019, which ask for Keras below 2.4 and TensorFlow below 2."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from engine.script.child.legacy.versions import tensorflow_requirement
from engine.sdk.scripts import ScriptFailure
from tests.script.conftest import Opened
from tests.script.wheels import make_wheel

TENSORFLOW = {
    "tensorflow/__init__.py": "from . import compat\n__version__ = '2.21.0'\nConfig = 'new'\n",
    "tensorflow/compat/__init__.py": "from . import v1\n",
    "tensorflow/compat/v1.py": (
        "Session = 'session of 1'\nConfig = 'old'\nkeras = None\nwhile_loop = 'loop of 1'\n"
        "class logging:\n    ERROR = 40\n    set_verbosity = staticmethod(print)\n"
        "def disable_v2_behavior():\n    print('as of version 1')\n"
    ),
    "tensorflow/python/__init__.py": "",
    "tensorflow/python/framework/__init__.py": "",
    "tensorflow/python/framework/ops.py": "",
    "tensorflow/python/ops/__init__.py": "",
    "tensorflow/python/ops/control_flow_ops.py": "",
}
"""As much of TensorFlow 2 as makes up its version 1 interface."""

OLD_SCRIPT = """
    from snaplogic.tool import SLTool as slt
    slt.ensure("keras", "2.2.4")
    slt.ensure("tensorflow", "1.5.0")
    import keras
    import tensorflow
    print(keras.version, tensorflow.Session, tensorflow.Config)
"""


@pytest.fixture(autouse=True)
def index(wheels: Path) -> Path:
    """A package index with the libraries of 2019 and today's."""
    library = tensorflow_requirement().partition(">")[0]
    make_wheel(wheels, library.replace("-", "_"), "2.21.0", modules=TENSORFLOW)
    for name in ("scipy", "six", "h5py"):
        make_wheel(wheels, name, "1.0")
    make_wheel(wheels, "pyyaml", "6.0", modules={"yaml.py": ""})
    for name, version in (("applications", "1.0.8"), ("preprocessing", "1.1.2")):
        make_wheel(wheels, f"keras_{name}", version)
    make_wheel(wheels, "keras", "2.2.4", needs="tensorflow<2")
    make_wheel(wheels, "keras", "3.15.1")
    return wheels


def printed(opened: Opened, source: str, **facts: Any) -> str:
    opened.lines.clear()
    opened(source, **facts).start()
    return opened.lines[-1]


def test_a_script_gets_the_keras_that_it_asks_for_on_tensorflow_of_today(opened: Opened) -> None:
    assert printed(opened, OLD_SCRIPT) == "2.2.4 session of 1 old"
    assert any("using the version 1 interface of TensorFlow 2.21.0" in s for s in opened.lines)


def test_the_second_run_installs_nothing(opened: Opened) -> None:
    printed(opened, OLD_SCRIPT)
    assert printed(opened, OLD_SCRIPT) == "2.2.4 session of 1 old"
    assert not [line for line in opened.lines if line.startswith("install")]


def test_another_script_of_the_environment_gets_the_new_libraries(opened: Opened) -> None:
    new = """
        from snaplogic.tool import SLTool as slt
        slt.ensure("keras", "3.15.1")
        import keras, tensorflow
        print(keras.version, hasattr(tensorflow, "Session"), tensorflow.Config)
    """
    printed(opened, OLD_SCRIPT, environment="both", owner="old")
    assert printed(opened, new, environment="both", owner="new") == "3.15.1 False new"
    assert printed(opened, OLD_SCRIPT, environment="both", owner="old").startswith("2.2.4 ")


def test_tensorflow_that_is_loaded_already_is_changed_at_once(opened: Opened) -> None:
    early = """
        from snaplogic.tool import SLTool as slt
        slt.ensure("tensorflow")
        import tensorflow
        print(hasattr(tensorflow, "Session"))
        slt.ensure("tensorflow", "1.12.0")
        print(tensorflow.Session)
    """
    index_name = tensorflow_requirement().partition(">")[0]
    early = early.replace('ensure("tensorflow")', f'ensure("{index_name}")')
    assert printed(opened, early) == "session of 1"
    assert "False" in opened.lines


def test_an_installation_of_keras_that_was_cut_off_is_made_again(
    opened: Opened, tmp_path: Path
) -> None:
    printed(opened, OLD_SCRIPT, environment="cut")
    (kept,) = tmp_path.rglob("keras-2.2.4")
    part = kept.rename(kept.with_name("keras-2.2.4.part"))
    (part / "keras.py").unlink()
    assert printed(opened, OLD_SCRIPT, environment="cut") == "2.2.4 session of 1 old"
    assert not part.exists()


def test_the_policy_refuse_holds_for_old_libraries(opened: Opened) -> None:
    session = opened(OLD_SCRIPT, install="refuse")
    with pytest.raises(ScriptFailure, match=r"is not installed in .* install is 'refuse'"):
        session.start()


def test_names_that_python_and_numpy_have_removed_are_there(opened: Opened, index: Path) -> None:
    numpy = "bytes_ = 'bytes'\nstr_ = bool_ = float64 = complex128 = inf = nan = None\n"
    numpy += "all = any = prod = cumprod = None\nbool = 'a type of numpy 2'\n"
    make_wheel(index, "numpy", "2.4.0", modules={"numpy.py": numpy})
    source = """
        from snaplogic.tool import SLTool as slt
        slt.ensure("numpy")
        slt.ensure("tensorflow", "1.5.0")
        import collections, inspect, numpy
        def f(a, b=2, *c, **d): pass
        spec = inspect.getargspec(f)
        print(numpy.string_, numpy.int.__name__, numpy.bool, collections.Iterable.__name__,
              spec.args, spec.keywords, inspect.formatargspec(*spec))
    """
    expected = "bytes int a type of numpy 2 Iterable ['a', 'b'] d (a, b=2, *c, **d)"
    assert printed(opened, source) == expected
