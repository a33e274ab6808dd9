"""A preview changes nothing outside of the pipeline, and says what a run would do."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from engine.registry import Registry, discover
from engine.sdk import Document, Snap
from tests.http_server import Reply, Server, serving

Preview = Callable[..., Any]
MAKE = "make: {snap: JSONGenerator, documents: [{n: 1, f: a.txt}, {n: 2, f: b.txt}]}"


def test_a_writer_does_not_run_and_says_where_it_would_write(preview: Preview) -> None:
    shown = preview(f"""
snaps:
  {MAKE}
  text: {{snap: JSONFormatter, format_each_document: true, header: {{$f: $f}}}}
  write: {{snap: FileWriter, file: "= 'out/' + $f", create_dir: true}}
links: [make -> text -> write]
""")
    assert shown.code == 0
    note = "would write 2 binary streams (38 bytes) to 'out/a.txt', 'out/b.txt'"
    assert shown.counts["write"]["note"] == note
    assert f"write: {note}" in shown.err
    assert not Path("out").exists()


def test_many_targets_are_counted(preview: Preview) -> None:
    shown = preview("""
snaps:
  make: {snap: JSONGenerator, documents: [{f: a}, {f: b}, {f: c}, {f: d}, {f: e}]}
  remove: {snap: FileDelete, file: = $f}
links: [make -> remove]
""")
    assert shown.counts["remove"]["note"] == "would delete 'a', 'b', 'c' and 2 more"


def test_a_file_is_not_deleted(preview: Preview) -> None:
    Path("keep.txt").write_text("x")
    shown = preview("snaps:\n  remove: {snap: FileDelete, file: keep.txt}\n")
    assert shown.counts["remove"]["note"] == "would delete 'keep.txt'"
    assert Path("keep.txt").read_text() == "x"


def test_a_writer_that_nothing_reaches_would_do_nothing(preview: Preview) -> None:
    shown = preview(f"""
snaps:
  {MAKE}
  none: {{snap: Filter, filter: $n > 5}}
  remove: {{snap: FileDelete, file: = $f}}
links: [make -> none -> remove]
""")
    assert shown.counts["remove"]["note"] == "would do nothing: no documents reached it"
    assert shown.counts["none"]["dropped_by"] == "$n > 5"


def test_a_target_that_cannot_be_computed_is_shown_as_failed(preview: Preview) -> None:
    shown = preview(f"""
snaps:
  {MAKE}
  remove: {{snap: FileDelete, file: = $nope}}
links: [make -> remove]
""")
    assert "(failed: `$nope` is not in the document" in shown.counts["remove"]["note"]


def test_a_snap_for_runs_only_is_left_out(preview: Preview) -> None:
    shown = preview(f"""
snaps:
  {MAKE}
  heavy: {{snap: Mapper, mode: execute_only, mappings: {{$n: $n}}}}
links: [make -> heavy]
""")
    assert shown.counts["heavy"]["note"] == "not run: its mode is execute_only"
    assert "heavy.output" not in shown.items


def test_the_snaps_of_a_child_pipeline_do_not_write_either(preview: Preview) -> None:
    Path("child.yaml").write_text("""
pipeline: Child
snaps:
  text: {snap: JSONFormatter}
  write: {snap: FileWriter, file: child.json}
links: [text -> write]
""")
    shown = preview(f"""
snaps:
  {MAKE}
  call: {{snap: PipelineExecute, pipeline: child.yaml}}
links: [make -> call]
""")
    assert "in the pipeline 'Child': write: would write 1 binary stream" in shown.err
    assert not Path("child.json").exists()


def test_a_snap_that_does_not_say_that_it_writes_cannot_write(
    preview: Preview, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Sly(Snap[Any]):
        """Write a file without saying so."""

        def process(self, document: Document) -> Document:
            self.context.files.write("sly.txt", "overwrite", create_folder=False)
            return document

    known = discover()
    registry = Registry({"Sly": Sly}, known.files)
    monkeypatch.setattr("engine.cli.preview.discover", lambda: registry)
    shown = preview(f"snaps:\n  {MAKE}\n  sly: {{snap: Sly}}\nlinks: [make -> sly]\n")
    assert shown.code == 1
    assert "set 'writes = True' in the class of the snap" in shown.err
    assert not Path("sly.txt").exists()


def test_every_snap_that_writes_says_what_it_would_do() -> None:
    writing = {name: snap.would for name, snap in discover().usable() if snap.writes}
    assert [name for name, would in writing.items() if would == Snap.would] == []


@pytest.fixture
def server() -> Iterator[Server]:
    """Answers every request with a list."""
    reply = Reply(body=b'[{"n": 1}]', headers={"Content-Type": "application/json"})
    with serving(lambda received: reply) as running:
        yield running


def _asked(server: Server) -> list[str]:
    return [f"{each.method} {each.path}" for each in server.requests]


def _rest(server: Server) -> str:
    return f"""
snaps:
  get: {{snap: RESTGet, service_url: "{server.url}/get"}}
  client: {{snap: HTTPClient, service_url: "{server.url}/client"}}
  post: {{snap: RESTPost, service_url: "{server.url}/post", http_entity: $entity}}
links: [get -> client, client -> post]
"""


def test_requests_are_not_sent(preview: Preview, server: Server) -> None:
    shown = preview(_rest(server))
    assert shown.code == 0
    note = "not run: it reads over the network; allow that with --allow-rest"
    assert shown.counts["get"]["note"] == note
    assert _asked(server) == []


def test_requests_that_read_are_sent_if_allowed(preview: Preview, server: Server) -> None:
    shown = preview(_rest(server), "--allow-rest")
    assert shown.code == 0
    assert shown.items["get.output"][0]["entity"] == [{"n": 1}]
    assert shown.counts["post"]["note"] == f"would send 1 document to '{server.url}/post'"
    assert _asked(server) == ["GET /get", "GET /client"]


def test_a_file_on_another_host_is_not_read(preview: Preview, server: Server) -> None:
    shown = preview(f"snaps:\n  read: {{snap: FileReader, file: '{server.url}/a.json'}}\n")
    assert shown.code == 1
    assert f"a preview does not read '{server.url}/a.json' over the network" in shown.err
    assert "allow that with --allow-rest" in shown.err
    assert _asked(server) == []


def test_a_file_on_another_host_is_read_if_allowed(preview: Preview, server: Server) -> None:
    shown = preview(
        f"""
snaps:
  read: {{snap: FileReader, file: "{server.url}/a.json"}}
  parse: {{snap: JSONParser}}
links: [read -> parse]
""",
        "--allow-rest",
    )
    assert shown.items["parse.output"] == [{"n": 1}]


def test_a_database_is_read_only_if_allowed(preview: Preview) -> None:
    Path("pyproject.toml").write_text("")
    Path("accounts").mkdir()
    Path("accounts/shop.yaml").write_text("account: sql\ndialect: sqlite\ndatabase: shop.db\n")
    with sqlite3.connect("shop.db") as database:
        database.execute("CREATE TABLE nuts (id INTEGER)")
        database.execute("INSERT INTO nuts VALUES (7)")
    database.close()
    pipeline = "snaps:\n  pick: {snap: SQLSelect, account: shop, table_name: nuts}\n"
    shown = preview(pipeline)
    assert shown.counts["pick"]["note"] == (
        "not run: it reads a database; allow that with --allow-sql"
    )
    assert preview(pipeline, "--allow-sql").items["pick.output"] == [{"id": 7}]
