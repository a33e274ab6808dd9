"""SLTool, as scripts use it."""

from __future__ import annotations

import base64
import json
import threading
import zlib
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from engine.script.child.tool import SLTool as slt  # noqa: N813  # as scripts call it
from engine.sdk.scripts import ScriptFailure
from tests.script.conftest import Opened


class Echo(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        request = {
            "method": self.command,
            "path": self.path,
            "token": self.headers.get("Authorization"),
            "body": self.rfile.read(size).decode(),
        }
        answer = json.dumps(request).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def url() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/task"
        server.shutdown()
        thread.join()


def test_execute_gives_what_the_command_printed() -> None:
    assert slt.execute("echo one  two") == "one two\n"


def test_execute_runs_no_shell() -> None:
    assert slt.execute("echo a;b $HOME") == "a;b $HOME\n"


def test_execute_raises_with_the_output_when_the_command_fails() -> None:
    with pytest.raises(RuntimeError, match=r"'ls /no/such/file' exited with code [12]: .*No such"):
        slt.execute("ls /no/such/file")


def test_a_random_path_is_a_new_folder(tmp_path: Path) -> None:
    first, second = (slt.get_random_path(f"{tmp_path}/") for _ in range(2))
    assert first != second
    assert Path(first).is_dir()


@pytest.mark.parametrize(
    "value",
    [
        {"a": [1, 2.5, None, "ü"]},
        (1, (2, 3)),
        {1, 2},
        b"\x00\xff",
    ],
)
def test_plain_data_survives_encode_and_decode(value: Any, opened: Opened) -> None:
    session = opened(f"""
        from snaplogic.tool import SLTool as slt
        def snaplogic_init():
            return {{"same": slt.decode(slt.encode({value!r})) == {value!r}}}
    """)
    assert session.start() == [{"same": True}]


def test_arrays_survive_encode_and_decode(monkeypatch: pytest.MonkeyPatch) -> None:
    numpy = pytest.importorskip("numpy")
    large = numpy.arange(600.0).reshape(20, 30)
    fields = numpy.zeros(3, dtype=[("a", "<f4"), ("b", "<i2")])
    for array in (large, large[:, ::2], large.T, numpy.array(["x", "y"]), fields):
        copy = slt.decode(slt.encode({"array": array}))["array"]
        assert copy.dtype == array.dtype
        assert (copy == array).all()
    assert slt.decode(slt.encode(numpy.float32(0.5))) == 0.5


def test_more_arrays_survive_encode_and_decode() -> None:
    numpy = pytest.importorskip("numpy")
    large = numpy.arange(600.0).reshape(20, 30)
    kinds = (
        *(large[::-1], large[3:9, 2:11], large.T[::3], large.astype(">i4"), large[:0]),
        *(numpy.array(5), numpy.arange(3, dtype="u1"), numpy.asfortranarray(large)),
        *(numpy.array([b"a", b"bc"]), numpy.array(["2026-01-02"], dtype="datetime64[D]")),
        numpy.array(["a", "日本"]),
    )
    for array in kinds:
        [copy, again] = slt.decode(slt.encode([array, array]))
        assert (copy.shape, copy.dtype) == (array.shape, array.dtype)
        assert (copy == array).all()
        assert (again == array).all()


def array_text(**facts: Any) -> str:
    values = base64.b64encode(zlib.compress(bytes(facts.pop("size", 64)))).decode()
    shape = facts.pop("shape", [8])
    array = {"py/object": "numpy.ndarray", "dtype": "float64", "values": values, "shape": shape}
    return json.dumps(array | facts)


@pytest.mark.parametrize(
    "text",
    [
        array_text(base=[0], offset=-4096),
        array_text(base={"py/id": 1}),
        array_text(offset=8),
        array_text(strides=[1 << 40]),
        array_text(shape=[1 << 40]),
        array_text(shape=[-8]),
        array_text(shape=[9]),
        array_text(shape=[7]),
        array_text(shape="8"),
        array_text(dtype="{'names': ['a'], 'formats': ['O'], 'offsets': [0]}"),
        array_text(order="K"),
        array_text(byteorder="S"),
        array_text(dtype="<U4000000", values=["x"] * 100, shape=None),
        array_text(dtype="str", values=["x" * 100_000, *["y"] * 1_000], shape=None),
        array_text(dtype="S", values=["x" * 100_000, *["y"] * 1_000], shape=None),
        array_text(dtype="<U", values=[10**4_000, *[1] * 20_000], shape=None),
        array_text(size=600 << 20, shape=[600 << 17]),
        '{"py/object": "numpy.void", "dtype": "V99999999999", "value": 99999999999}',
        '{"py/object": "numpy.float64", "dtype": "V99999999999", "value": 99999999999}',
        '{"py/object": "numpy.float64", "dtype": "float64", "value": {"py/type": "os.system"}}',
        '{"py/tuple": [1], "py/object": "os.system"}',
        '{"py/id": 1, "a": 2}',
        '{"py/set": {"py/type": "os.system"}}',
    ],
    ids=lambda text: text[:200],
)
def test_decode_refuses_crafted_arrays_and_tags(text: str) -> None:
    pytest.importorskip("numpy")
    with pytest.raises(ValueError, match=r"decode (refuses|cannot)"):
        slt.decode(text)


def test_decode_takes_an_array_that_packs_well() -> None:
    numpy = pytest.importorskip("numpy")
    zeros = numpy.zeros((1000, 1000))
    assert slt.decode(slt.encode(zeros)).shape == (1000, 1000)


def test_arrays_that_are_small_one_by_one_are_bounded_together() -> None:
    pytest.importorskip("numpy")
    one = array_text(size=8 << 20, shape=[1 << 20])
    with pytest.raises(ValueError, match="far more memory than their text"):
        slt.decode(f"[{', '.join([one] * 20)}]")


def laughter(depth: int) -> list[Any]:
    """Ten times the same list, of ten times the same list, and so on."""
    inner: list[Any] = [1] * 10
    for _ in range(depth - 1):
        inner = [inner] * 10
    return inner


def test_references_may_not_unfold_to_far_more_than_their_text() -> None:
    assert slt.decode(slt.encode(laughter(4))) == laughter(4)
    with pytest.raises(ValueError, match="decode refuses references that unfold to far more"):
        slt.decode(slt.encode(laughter(12)))


def test_arrays_hold_no_references() -> None:
    pytest.importorskip("numpy")
    values = json.loads(slt.encode(laughter(12)))
    array = {"py/object": "numpy.ndarray", "dtype": "<i8", "values": values}
    with pytest.raises(ValueError, match="decode refuses a reference among the values"):
        slt.decode(json.dumps(array))


def test_shared_parts_survive_encode_and_decode() -> None:
    part = {"a": [1, 2]}
    again = slt.decode(slt.encode([part, part]))
    assert again == [part, part]
    assert again[0] is again[1]


def test_date_times_survive_encode_and_decode(opened: Opened) -> None:
    session = opened("""
        import datetime
        from snaplogic.tool import SLTool as slt
        when = datetime.datetime(2026, 1, 2, 3)
        assert slt.decode(slt.encode([when, when.date()])) == [when, when.date()]
    """)
    session.start()


@pytest.mark.parametrize(
    "text",
    [
        '{"py/reduce": [{"py/function": "os.system"}, {"py/tuple": ["true"]}]}',
        '{"py/object": "subprocess.Popen", "py/newargs": ["true"]}',
        '[{"a": {"py/type": "os.system"}}]',
        '{"py/repr": "os/os.system"}',
        '{"py/object": "numpy.testing.rundocs"}',
        '{"py/object": "numpy.ndarray", "dtype": "object", "values": "eJw=", "shape": [1]}',
        '{"py/object": "numpy.ndarray", "dtype": "|O", "values": "eJw=", "shape": [1]}',
        '{"py/object": "numpy.ndarray", "dtype": "[(\\"a\\", \\"O\\"), (\'b\', \'<f4\')]"}',
        '{"py/object": "datetime.datetime", "__reduce__": [{"py/type": "os.system"}, ["x"]]}',
        '{"__reduce__": [{"py/type": "os.system"}, ["x"]]}',
    ],
)
def test_decode_refuses_what_could_run_code(text: str) -> None:
    with pytest.raises(ValueError, match="decode refuses"):
        slt.decode(text)


def test_decode_makes_other_classes_on_request() -> None:
    text = '{"py/object": "fractions.Fraction", "_numerator": 1, "_denominator": 2}'
    with pytest.raises(ValueError, match=r"fractions.Fraction"):
        slt.decode(text)
    assert type(slt.decode(text, safe=False)).__name__ == "Fraction"


def test_ultra_posts_json_with_the_token(url: str) -> None:
    answer = slt.ultra(url, "secret", {"a": 1})
    assert answer == {
        "method": "POST",
        "path": "/task",
        "token": "Bearer secret",
        "body": '{"a": 1}',
    }


@pytest.mark.parametrize("token", ["secret", "Bearer secret", "Authorization: Bearer secret"])
def test_a_token_may_be_given_with_its_prefix(url: str, token: str) -> None:
    assert slt.ultra(url, token)["token"] == "Bearer secret"


def test_trigger_gets_without_data_and_posts_with(url: str) -> None:
    assert slt.trigger(url, params={"q": "a b"})["path"] == "/task?q=a+b"
    assert slt.trigger(url)["method"] == "GET"
    assert slt.trigger(url, data=[1])["method"] == "POST"
    assert slt.trigger(url)["token"] is None


def test_an_answer_is_given_as_text_or_bytes(url: str) -> None:
    assert slt.trigger(url, fmt="text").startswith('{"method"')
    assert slt.trigger(url, fmt="raw").startswith(b'{"method"')


def test_a_file_is_downloaded_completely_or_not_at_all(url: str, tmp_path: Path) -> None:
    slt.download_file(url, str(tmp_path / "file"))
    assert b"GET" in (tmp_path / "file").read_bytes()
    with pytest.raises(OSError, match=r"refused|urlopen"):
        slt.download_file("http://127.0.0.1:1/x", str(tmp_path / "other"))
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_the_tool_is_there_without_installing(opened: Opened) -> None:
    session = opened("import snaplogic.tool\nprint(snaplogic.tool.SLTool.get_drop_doc())\n")
    session.start()
    assert opened.lines == ["{'snaplogic_flag': 'drop'}"]


def test_execute_finds_the_scripts_own_python(opened: Opened) -> None:
    session = opened("""
        import sys
        from snaplogic.tool import SLTool as slt
        found = slt.execute("which python").strip()
        print(found == sys.executable)
    """)
    session.start()
    assert opened.lines == ["True"]


def test_a_failing_command_in_a_script_stops_it_with_its_line(opened: Opened) -> None:
    session = opened("""
        from snaplogic.tool import SLTool as slt
        slt.execute("false")
    """)
    with pytest.raises(ScriptFailure, match=r"exited with code 1.*\(scripts/x.py, line 3\)"):
        session.start()


LABEL_ENCODER = """
    import decimal
    from snaplogic.tool import SLTool as slt
    text = slt.encode({{"made": decimal.Context(prec=7)}})
    print(slt.decode(text{safe})["made"].prec)
"""


def test_decode_makes_any_object_in_a_trusted_script(opened: Opened) -> None:
    opened(LABEL_ENCODER.format(safe=""), trusted=True).start()
    assert opened.lines == ["7"]


def test_decode_can_still_be_asked_to_be_safe_in_a_trusted_script(opened: Opened) -> None:
    with pytest.raises(ScriptFailure, match="decode refuses"):
        opened(LABEL_ENCODER.format(safe=", safe=True"), trusted=True).start()


def test_decode_is_safe_unless_the_snap_is_trusted(opened: Opened) -> None:
    with pytest.raises(ScriptFailure, match="decode refuses"):
        opened(LABEL_ENCODER.format(safe="")).start()
