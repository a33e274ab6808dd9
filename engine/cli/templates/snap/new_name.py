"""Add a greeting to each document."""

from engine.sdk import Document, Example, Expression, Settings, Snap, setting


class NewNameSettings(Settings):
    name: Expression = setting(help="Whom to greet.", example="$name")
    greeting: str = setting(default="Hello", help="The word in front of the name.")


class NewName(Snap[NewNameSettings]):
    since = "0.1.0"
    stateful = False
    about = "The greeting is added as `greeting`; the other fields stay as they are."
    examples = (
        Example(
            "a greeting in Spanish",
            settings={"name": "$name", "greeting": "Hola"},
            given=[{"name": "Ann"}],
            expect=[{"name": "Ann", "greeting": "Hola, Ann!"}],
        ),
    )

    def open(self) -> None:
        self.name_of = self.context.function(self.settings.name)

    def process(self, document: Document) -> Document:
        greeting = f"{self.settings.greeting}, {self.name_of(document)}!"
        return {**document, "greeting": greeting}
