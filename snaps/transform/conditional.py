"""Add a value to each document, chosen by conditions."""

from __future__ import annotations

from collections.abc import Iterable

from engine.sdk import (
    Batch,
    DataError,
    Document,
    Example,
    Expression,
    Foreign,
    Issue,
    Settings,
    Snap,
    TargetPath,
    exact_decimals,
    setting,
)
from snaps.shared.conditions import refuse_other_than_boolean


class ConditionRow(Settings):
    condition: Expression = setting(help="When the value is taken.", example="$total > 100")
    return_value: Expression = setting(help="The value.", example="'large'")
    target: TargetPath = setting(help="Where to write it.", example="$size")


class ConditionalSettings(Settings):
    conditions: tuple[ConditionRow, ...] = setting(
        help="Rows `{condition, return_value, target}`, tried from top to bottom.",
        example=[{"condition": "$total > 100", "return_value": "'large'", "target": "$size"}],
    )
    default_value: Expression | None = setting(
        default=None, help="The value if no condition is true.", example="'small'"
    )
    default_target: TargetPath | None = setting(
        default=None, help="Where to write the default value.", example="$size"
    )
    evaluate_all: bool = setting(
        default=False,
        help="Take the value of every row whose condition is true; otherwise of the first one.",
    )
    null_safe_access: bool = setting(
        default=False, help="Read a missing path as null; otherwise it fails the document."
    )


class Conditional(Snap[ConditionalSettings]):
    since = "0.4.0"
    about = """
    The fields of the input document stay. What comes after the first true condition is not
    evaluated, unless `evaluate_all` is set. A condition must be `true` or `false`; any other value
    stops the pipeline. Without any condition, nothing leaves the snap.
    """
    foreign = Foreign(
        "com-snaplogic-snaps-transform-conditional",
        "Conditional",
        version=1,
        settings={
            "conditionalTable[].conditionalExpression": "conditions[].condition",
            "conditionalTable[].returnValue": "conditions[].return_value",
            "conditionalTable[].targetPath": "conditions[].target",
            "defaultValueTable.defaultValue": "default_value",
            "defaultValueTable.defaultValuePath": "default_target",
            "evaluateAll": "evaluate_all",
            "nullSafeAccess": "null_safe_access",
        },
    )
    stateful = False
    plain = True
    changes_input = False
    examples = (
        Example(
            "the first condition that is true decides",
            settings={
                "conditions": [
                    {"condition": "$n > 99", "return_value": "'large'", "target": "$size"},
                    {"condition": "$n > 9", "return_value": "'medium'", "target": "$size"},
                ],
                "default_value": "'small'",
                "default_target": "$size",
            },
            given=[{"n": 100}, {"n": 10}, {"n": 1}],
            expect=[
                {"n": 100, "size": "large"},
                {"n": 10, "size": "medium"},
                {"n": 1, "size": "small"},
            ],
        ),
        Example(
            "every condition that is true adds its value",
            settings={
                "conditions": [
                    {"condition": "$n % 2 == 0", "return_value": "true", "target": "$is.even"},
                    {"condition": "$n > 9", "return_value": "true", "target": "$is.large"},
                ],
                "evaluate_all": True,
            },
            given=[{"n": 12}, {"n": 3}],
            expect=[{"n": 12, "is": {"even": True, "large": True}}, {"n": 3}],
        ),
    )

    @classmethod
    def check(cls, settings: ConditionalSettings) -> Iterable[Issue]:
        if not settings.conditions:
            yield Issue(
                ("conditions",),
                "without conditions every document is dropped",
                "add a row {condition, return_value, target}",
                code="unclear-setting",
                severity="warning",
            )
        if (settings.default_value is None) != (settings.default_target is None):
            given, missing = "default_value", "default_target"
            if settings.default_value is None:
                given, missing = missing, given
            yield Issue(
                (given,),
                f"{given} has no effect without {missing}",
                f"add {missing}, or leave out {given}",
                code="unclear-setting",
                severity="warning",
            )

    def open(self) -> None:
        settings, context = self.settings, self.context
        null_safe = settings.null_safe_access
        self._rows = [
            (
                row.condition.text,
                context.function(row.condition, null_safe=null_safe),
                context.function(row.return_value, null_safe=null_safe),
                context.path(row.target),
            )
            for row in settings.conditions
        ]
        self._default = None
        if settings.default_value is not None and settings.default_target is not None:
            value = context.function(settings.default_value, null_safe=null_safe)
            self._default = value, context.path(settings.default_target)

    def process_batch(self, view: str, batch: Batch) -> Batch | None:
        if not self._rows:
            self.context.dropped(len(batch), batch.complete_lineage())
            return None
        results: list[Document] = []
        good: list[int] = []
        with exact_decimals():
            for position, document in enumerate(batch.items):
                try:
                    results.append(self._completed(document))
                except DataError as error:
                    self.context.failed(error, document, batch.lineage_of(position))
                else:
                    good.append(position)
        return batch.at(good, results)

    def _completed(self, document: Document) -> Document:
        completed = document
        found = False
        for text, holds, value, target in self._rows:
            verdict = holds(document)
            if verdict is True:
                found = True
                completed = target.set(completed, value(document))
                if not self.settings.evaluate_all:
                    break
            elif verdict is not False:
                refuse_other_than_boolean(f"the condition {text!r}", verdict)
        if not found and self._default is not None:
            default, target = self._default
            completed = target.set(completed, default(document))
        return completed
