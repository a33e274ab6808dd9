"""The hosting pipeline against other servers of the same model: FastAPI, BentoML, LitServe."""

from __future__ import annotations

import tempfile
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.serving import workloads
from benchmarks.serving.images import MODEL, Answers, as_json, bare_model, load_images
from benchmarks.serving.rounds import (
    Contender,
    ContenderReports,
    print_table,
    print_verdict,
    run_round,
    started,
)
from benchmarks.serving.servers import ROOT, engine_server, rival, servers_python

ENGINE = "engine serve"
FASTAPI = "FastAPI, model.predict"
BENTOML = "BentoML, LiteRT"
LITSERVE = "LitServe, LiteRT"
IMAGES = 1_000
REQUESTS = {32: 6_000, 1: 1_000}
SLOW = {32: 300, 1: 40}
"""For a server that needs tens of milliseconds per request."""
ABOVE_THE_CALL = 1.0
TIMES_FASTAPI = 20.0


def compare(rounds: int) -> dict[str, Any]:
    """Measure and print. Returns all reports by server."""
    print("Digits: the hosting pipeline, LiteRT in a script")
    if not MODEL.exists():
        raise SystemExit(f"No model found at {MODEL}. Run `make demo` first.")
    python = servers_python()
    images = load_images(IMAGES)
    reports: dict[str, ContenderReports] = {}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory())
        answers = bare_model(python, images).answers
        contenders = started(_contenders(python, images, answers, Path(folder)), stack)
        calls = [_round(python, images, contenders, reports) for _ in range(rounds)]
    print_table(reports)
    print(f"  the bare call of the model: p50 {median(calls):.2f} ms")
    found = _verdicts(reports, calls)
    return {"bare_p50": calls, **found, **{name: each.as_data() for name, each in reports.items()}}


def _round(
    python: Path,
    images: list[bytes],
    contenders: list[Contender],
    reports: dict[str, ContenderReports],
) -> float:
    """The p50 of the bare call, measured together with the round."""
    call = bare_model(python, images).p50
    run_round(contenders, reports)
    return call


def _contenders(
    python: Path, images: list[bytes], answers: Answers, folder: Path
) -> list[Contender]:
    rivals = "benchmarks.serving.rivals"
    bodies = [as_json(image) for image in images]
    plain = workloads.digits(bodies, answers)
    listed = workloads.digits_for_bentoml(bodies, answers)
    bentoml = [
        *(str(python), "-m", "bentoml", "serve", f"{rivals}.digits_bentoml:Digits"),
        *("--host", "127.0.0.1", "--port", "$PORT", "--working-dir", str(ROOT)),
    ]
    at_home = {"BENTOML_HOME": str(folder), "BENTOML_DO_NOT_TRACK": "True"}
    fastapi = [str(python), "-m", f"{rivals}.digits_fastapi", "--port", "$PORT"]
    litserve = [str(python), "-m", f"{rivals}.digits_litserve", "--port", "$PORT"]
    hosting = ROOT / "pipelines" / "model_hosting.yaml"
    ours = engine_server(hosting, {"token": workloads.DIGIT_TOKEN}, name=ENGINE)
    return [
        Contender(ours, plain, REQUESTS),
        Contender(rival(FASTAPI, fastapi, "/predict", "/ready"), plain, SLOW),
        Contender(rival(BENTOML, bentoml, "/predict", "/readyz", at_home), listed, REQUESTS),
        Contender(rival(LITSERVE, litserve, "/predict", "/health"), plain, REQUESTS),
    ]


def _verdicts(reports: dict[str, ContenderReports], calls: list[float]) -> dict[str, float]:
    """The figures that have budgets, as far as the servers could be started."""
    if ENGINE not in reports:
        return {}
    ours = reports[ENGINE]
    alone = ours.by_connections[1]
    above = median(each.p50 - call for each, call in zip(alone, calls, strict=False))
    print_verdict("p50 above the bare call, one at a time", above, ABOVE_THE_CALL, " ms")
    found = {"above_the_call_ms": above}
    for name, budget in ((FASTAPI, TIMES_FASTAPI), (BENTOML, 1.0), (LITSERVE, 1.0)):
        if name in reports:
            times = ours.median("rate", 32) / reports[name].median("rate", 32)
            print_verdict(f"requests/s at 32 against {name}", times, budget, "×", least=True)
            found[f"times {name}"] = times
    return found
