"""The model alone: time of its call with one image, and what it answers to each image.

Reads images of 784 bytes each from standard input, writes JSON: `p50` and `p90` in milliseconds,
`answers` as [pred, conf].
"""

from __future__ import annotations

import argparse
import json
import sys
import time

import numpy as np

from benchmarks.serving.rivals.digit_model import Network, prediction


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1_000)
    calls = parser.parse_args().calls
    pixels = np.frombuffer(sys.stdin.buffer.read(), np.uint8).reshape(-1, 1, 28, 28, 1)
    images = pixels / np.float32(255)
    network = Network()
    answers = [prediction(network(image)[0]) for image in images]
    seconds = []
    for number in range(calls):
        image = images[number % len(images)]
        begin = time.perf_counter()
        network(image)
        seconds.append(time.perf_counter() - begin)
    p50, p90 = np.quantile(seconds, [0.5, 0.9]) * 1e3
    pairs = [[each["pred"], each["conf"]] for each in answers]
    print(json.dumps({"p50": p50, "p90": p90, "answers": pairs}))


if __name__ == "__main__":
    main()
