"""NewName adds a greeting to each document."""

from new_name import NewName


def test_greets_by_name(run_snap):
    result = run_snap(NewName, {"name": "$name"}, [{"name": "Ann"}])
    assert result.output == [{"name": "Ann", "greeting": "Hello, Ann!"}]


def test_a_document_without_a_name_fails_alone(run_snap):
    documents = [{"id": 1}, {"name": "Bob"}]
    result = run_snap(NewName, {"name": "$name"}, documents, on_error="route")
    assert [each["name"] for each in result.output] == ["Bob"]
    assert result.errors[0]["original"] == {"id": 1}
