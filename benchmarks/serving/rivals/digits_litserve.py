"""LitServe's way: decode, batch, predict, unbatch, encode, in a worker process.

On two cores this was its quickest set-up at 32 at a time: one worker, the ZeroMQ queue
(`fast_queue`) and a batch timeout of 1 ms. Two workers, the plain queue or 5 ms gave less.
"""

from __future__ import annotations

import argparse
from typing import Any

import litserve
import numpy as np

from benchmarks.serving.rivals.digit_model import Network, network_input, prediction


class Digits(litserve.LitAPI):
    """Answers from LiteRT."""

    def setup(self, device: str) -> None:
        self.network = Network()

    # LitServe takes the annotations of these two as schemas that FastAPI has to check.

    def decode_request(self, request):
        return network_input(request["params"]["image"])

    def encode_response(self, output):
        return prediction(output)

    def batch(self, inputs: list[Any]) -> Any:
        return np.stack(inputs)

    def predict(self, images: Any) -> Any:
        return self.network(images)

    def unbatch(self, output: Any) -> list[Any]:
        return list(output)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    given = parser.parse_args()
    api = Digits(max_batch_size=32, batch_timeout=0.001)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1, fast_queue=True)
    server.run(
        host="127.0.0.1",
        port=given.port,
        generate_client_file=False,
        log_level="warning",
        access_log=False,
    )


if __name__ == "__main__":
    main()
