"""The calls of a functional model: in which order they come, and how TensorFlow.js counts them.

Keras and TensorFlow.js name a tensor by its layer, by the number of the layer's call, and by the
place among that call's outputs. Keras counts calls as they were made; TensorFlow.js counts them as
its loader happens to reach them: it goes through the layers again and again, and makes each call
whose inputs are there. So a layer that is first called deep in the network, and then with an input
that is there from the start, has its two calls in the other order. The calls are written in the
order in which the loader reaches them, and counted so.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from snaps.files.shared.tfjs_layers import refused


class Tensor(NamedTuple):
    layer: str
    call: int
    output: int


class Graph:
    """`calls` are the inputs of each call of each layer, in the order of Keras."""

    def __init__(self, calls: Mapping[str, Sequence[Sequence[Tensor]]]) -> None:
        self._calls = calls
        self._order: dict[str, list[int]] = {name: [] for name in calls}
        self._first: dict[str, int] = dict.fromkeys(calls, 0)

    def calls_in_order(self) -> Iterator[tuple[str, int, Sequence[Tensor]]]:
        """Each call as layer, number in Keras and inputs, once its inputs are there."""
        waiting = {name: list(range(len(calls))) for name, calls in self._calls.items()}
        while any(waiting.values()):
            before = sum(map(len, waiting.values()))
            for name, numbers in waiting.items():
                waiting[name] = []
                for number in numbers:
                    inputs = self._calls[name][number]
                    if all(tensor.call in self._order.get(tensor.layer, ()) for tensor in inputs):
                        self._order[name].append(number)
                        yield name, number, inputs
                    else:
                        waiting[name].append(number)
            if before == sum(map(len, waiting.values())):
                stuck = ", ".join(name for name, numbers in waiting.items() if numbers)
                raise refused(
                    f"the inputs of the layers {stuck} come from nowhere in the model",
                    "give what model.to_json() of Keras 3 gives, parsed",
                )

    def count_from(self, layer: str, first: int) -> None:
        """The number that TensorFlow.js gives to the first call of the layer."""
        self._first[layer] = first

    def reference(self, tensor: Tensor, prefix: str) -> list[Any]:
        call = self._first[tensor.layer] + self._order[tensor.layer].index(tensor.call)
        return [prefix + tensor.layer, call, tensor.output]

    def nodes(self, layer: str, prefix: str) -> list[list[list[Any]]]:
        """The calls of a layer, each as a list of the tensors [layer, call, output, {}]."""
        calls = [self._calls[layer][number] for number in self._order[layer]]
        return [
            [[*self.reference(tensor, prefix), {}] for tensor in call] for call in calls if call
        ]


def subtraction(entry: Mapping[str, Any]) -> list[dict[str, Any]]:
    """a - b as a + (-1 * b), because TensorFlow.js has no Subtract."""
    name = entry["name"]
    negated = f"{name}/negated"
    negative = {"name": negated, "trainable": True, "dtype": "float32", "scale": -1, "offset": 0}
    seconds = [[second] for _, second in entry["inbound_nodes"]]
    sums = [
        [first, [negated, number, 0, {}]]
        for number, (first, _) in enumerate(entry["inbound_nodes"])
    ]
    return [
        {
            "class_name": "Rescaling",
            "config": negative,
            "name": negated,
            "inbound_nodes": seconds,
        },
        {**entry, "class_name": "Add", "inbound_nodes": sums},
    ]
