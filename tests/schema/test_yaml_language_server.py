"""The language server of most editors completes and checks with our schemas."""

from __future__ import annotations

from pathlib import Path

from tests.language_client import LanguageClient

ROOT = Path(__file__).parents[2]
HEAD = "# yaml-language-server: $schema=schemas/pipeline.schema.json\n"


def messages(server: LanguageClient, name: str, text: str) -> list[tuple[int, str]]:
    """The line of each diagnostic, counted from 0 in the text without its head; its message."""
    found = server.diagnose(name, HEAD + text)
    return [(each["range"]["start"]["line"] - 1, each["message"]) for each in found]


def labels(server: LanguageClient, name: str, text: str) -> list[str]:
    return [each["label"] for each in server.complete(name, HEAD + text)]


def test_the_name_of_a_snap_is_completed_with_its_purpose(server: LanguageClient) -> None:
    found = server.complete("name.yaml", f"{HEAD}snaps:\n  a:\n    snap: |\n")
    purposes = {each["label"]: each["documentation"]["value"] for each in found}
    assert purposes["Filter"] == (
        "Pass on the documents for which an expression is true; drop the others."
    )
    assert len(purposes) > 80


def test_the_settings_of_the_named_snap_are_completed(server: LanguageClient) -> None:
    found = labels(server, "key.yaml", "snaps:\n  a:\n    snap: Filter\n    |\n")
    assert {"filter", "null_safe_access", "on_error"} <= {*found}
    assert "mappings" not in found


def test_the_choices_of_a_setting_are_completed(server: LanguageClient) -> None:
    text = "snaps:\n  a:\n    snap: FileWriter\n    file: a\n    file_action: |\n"
    assert {"overwrite", "append", "ignore", "error"} <= {*labels(server, "choice.yaml", text)}


def test_the_help_of_a_setting_is_shown(server: LanguageClient) -> None:
    text = "snaps:\n  a:\n    snap: Filter\n    fil|ter: $a\n"
    found = server.hover("hover.yaml", HEAD + text)
    assert "The condition, which must be true or false" in found
    assert "*expression*" in found


def test_mistakes_are_shown_where_they_are(server: LanguageClient) -> None:
    text = (
        "snaps:\n"
        "  read: {snap: FileReader, fiel: a}\n"
        "  keep: {snap: Filter, filter: = $a > 1}\n"
        "  sort: {snap: Sorrt}\n"
        "  save: {snap: FileWriter, file: b, file_action: replace}\n"
        "links: [read - keep]\n"
    )
    assert sorted(messages(server, "mistakes.yaml", text)) == [
        (1, 'Missing property "file".'),
        (1, "Property fiel is not allowed."),
        (2, "this is always an expression: leave out the '='"),
        (3, "there is no such snap; 'engine snaps' lists the installed ones"),
        (
            4,
            'Value is not accepted. Valid values: "overwrite", "append", "ignore", "error".',
        ),
        (5, "write 'a -> b', or 'a.view -> b.view' to name views"),
    ]


def test_what_is_allowed_raises_no_alarm(server: LanguageClient) -> None:
    text = (
        "parameters: {größe: 007, key: {secret: true}}\n"
        "snaps:\n"
        "  save: &save {snap: FileWriter, file: = _key, file_action: OVERWRITE}\n"
        "  more: {<<: *save, on_error: discard}\n"
        "  head: {snap: GroupByN, group_size: = _n}\n"
        "  kept: {snap: com-snaplogic-snaps-salesforce-read, mode: disabled, object: Lead}\n"
        "links: ['save ->  more.input0 -> kept']\n"
    )
    assert messages(server, "allowed.yaml", text) == []


def test_the_files_of_the_repository_have_no_diagnostics(server: LanguageClient) -> None:
    tests = [*(ROOT / "pipelines").glob("*.test.yaml")]
    pipelines = {*(ROOT / "pipelines").glob("*.yaml")} - {*tests}
    kinds = {"pipeline": pipelines, "test": tests, "task": [*(ROOT / "tasks").glob("*.yaml")]}
    named = {f"{kind}-{file.name}": file for kind, files in kinds.items() for file in files}
    assert len(named) > 15
    for name, file in named.items():
        head = f"# yaml-language-server: $schema=schemas/{name.partition('-')[0]}.schema.json\n"
        server.open(name, head + file.read_text(encoding="utf-8"))
    assert [(name, each) for name in named for each in server.diagnostics(name)] == []


def test_a_pipeline_of_200_snaps_is_checked(server: LanguageClient) -> None:
    pairs = "".join(
        f"  keep{n}:\n    snap: Filter\n    filter: $a > {n}\n    null_safe_access: true\n"
        f"  make{n}:\n    snap: Mapper\n    mappings:\n      $a: $a\n      $b: $b + {n}\n"
        for n in range(100)
    )
    text = f"snaps:\n{pairs}  last: {{snap: Trash, sise: 1}}\n"
    assert messages(server, "large.yaml", text) == [(901, "Property sise is not allowed.")]
