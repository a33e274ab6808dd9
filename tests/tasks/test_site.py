"""`engine serve --site`: serves one folder of files with the tasks, and nothing else."""

from __future__ import annotations

import gzip
import http.client
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.tasks.callers import post
from tests.tasks.conftest import Serve, Served

PIPELINE = """\
pipeline: Echo
snaps:
  answer: {snap: Mapper, mappings: {$content.id: $content.id}}
"""
PAGE = "<!doctype html><title>A page</title>" + "<p>Text that repeats itself.</p>" * 100
Answer = tuple[http.client.HTTPResponse, bytes]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    site = tmp_path / "site"
    (site / "model").mkdir(parents=True)
    (site / ".git").mkdir()
    (tmp_path / "secret.txt").write_text("secret")
    (tmp_path / "echo.yaml").write_text(PIPELINE)
    for name, content in {
        "index.html": PAGE,
        "page.js": "1;" * 1000,
        "small.css": "a{}",
        "runtime.wasm": "\0asm",
        "model/model.json": "{}",
        "model/group1-shard1of1.bin": "\0\1",
        ".hidden": "secret",
        ".git/config": "secret",
        "a b.txt": "blank",
    }.items():
        (site / name).write_text(content)
    (site / "link.txt").symlink_to(tmp_path / "secret.txt")
    (site / "outside").symlink_to(tmp_path)
    return site


@pytest.fixture
def served(serve: Serve, folder: Path) -> Served:
    return serve(folder.parent / "echo.yaml", "--site", folder)


def ask(served: Served, path: str, method: str = "GET", **headers: str) -> Answer:
    connection = http.client.HTTPConnection("127.0.0.1", served.port, timeout=30)
    try:
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, path, headers=fields)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()


def test_the_page_and_the_tasks_have_one_origin(served: Served) -> None:
    served.wait_for(lambda: f"page at {served.url}/" in served.stderr)
    for path in ("/", "/index.html"):
        answer, body = ask(served, path)
        assert (answer.status, body) == (200, PAGE.encode())
        assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert post(served, "echo", id=7) == (200, {"id": 7})
    assert ask(served, "/healthz")[1] == b"ok\n"
    assert ask(served, "/tasks/nobody")[0].status == 404
    assert b"their names are: echo" in ask(served, "/tasks/nobody")[1]


def test_each_file_has_the_type_that_browsers_ask_for(served: Served) -> None:
    for path, expected in {
        "/page.js": "text/javascript; charset=utf-8",
        "/small.css": "text/css; charset=utf-8",
        "/runtime.wasm": "application/wasm",
        "/model/model.json": "application/json; charset=utf-8",
        "/model/group1-shard1of1.bin": "application/octet-stream",
        "/a%20b.txt": "text/plain; charset=utf-8",
    }.items():
        answer, _ = ask(served, path)
        assert (path, answer.status, answer.headers["content-type"]) == (path, 200, expected)
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_large_files_are_compressed_for_callers_that_accept_it(served: Served) -> None:
    answer, body = ask(served, "/", Accept_Encoding="br, gzip;q=0.5")
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["vary"] == "accept-encoding"
    assert gzip.decompress(body) == PAGE.encode()
    assert len(body) < len(PAGE) / 5
    for accepted in ("identity", "gzip;q=0", "gzip; q=0.00"):
        answer, body = ask(served, "/", Accept_Encoding=accepted)
        assert (answer.headers["content-encoding"], body) == (None, PAGE.encode())
    assert ask(served, "/small.css", Accept_Encoding="gzip")[0].headers["content-encoding"] is None


def test_files_that_a_browser_has_cached_are_not_sent_again(served: Served) -> None:
    tag = ask(served, "/page.js")[0].headers["etag"]
    assert ask(served, "/page.js")[0].headers["cache-control"] == "no-cache"
    answer, body = ask(served, "/page.js", If_None_Match=f'"other", {tag}')
    assert (answer.status, body, answer.headers["etag"]) == (304, b"", tag)
    assert ask(served, "/page.js", If_None_Match='"other"')[0].status == 200


def test_head_says_what_get_would(served: Served) -> None:
    answer, body = ask(served, "/page.js", "HEAD")
    assert (answer.status, answer.headers["content-length"], body) == (200, "2000", b"")
    answer, _ = ask(served, "/page.js", "POST")
    assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    "path",
    [
        "/nothing",
        "/model",
        "/model/",
        "/.hidden",
        "/.git/config",
        "/link.txt",
        "/outside/secret.txt",
        "/../secret.txt",
        "/%2e%2e/secret.txt",
        "/model/../../secret.txt",
        "/..%2fsecret.txt",
        "//secret.txt",
        "/index.html%00",
        "/index.html/",
    ],
)
def test_nothing_else_is_served(served: Served, path: str) -> None:
    answer, body = ask(served, path)
    assert answer.status == 404
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert b"Page not found" in body
    assert b"secret" not in body


def test_a_site_may_have_its_own_page_for_404(serve: Serve, folder: Path) -> None:
    (folder / "404.html").write_text("Lost?")
    served = serve(folder.parent / "echo.yaml", "--site", folder)
    answer, body = ask(served, "/nothing")
    assert (answer.status, body) == (404, b"Lost?")


def test_files_are_reloaded_on_sighup_and_kept_if_they_cannot_be_read(
    served: Served, folder: Path
) -> None:
    (folder / "index.html").write_text("New")
    assert ask(served, "/")[1] == PAGE.encode()
    served.signal(signal.SIGHUP)
    served.wait_for(lambda: ask(served, "/")[1] == b"New")
    (folder / "index.html").unlink()
    served.signal(signal.SIGHUP)
    served.wait_for(lambda: "the folder has no index.html" in served.stderr)
    assert ask(served, "/")[1] == b"New"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [("nowhere", "folder not found"), ("site/model", "the folder has no index.html")],
)
def test_a_folder_without_a_site_is_refused(folder: Path, name: str, complaint: str) -> None:
    place = folder.parent / name
    command = [sys.executable, "-m", "engine", "serve", "echo.yaml", "--site", str(place)]
    ended = subprocess.run(
        command, cwd=folder.parent, capture_output=True, text=True, timeout=60, check=False
    )
    assert ended.returncode == 2
    assert f"--site {str(place)!r}: {complaint}" in ended.stderr
