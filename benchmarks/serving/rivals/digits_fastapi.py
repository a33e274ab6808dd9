"""The usual first server of a model: a FastAPI handler that calls `model.predict`."""

from __future__ import annotations

import argparse
import secrets
from typing import Any

import uvicorn
from fastapi import FastAPI, Response
from pydantic import BaseModel

from benchmarks.serving.rivals.digit_model import TOKEN, keras_model, network_input, prediction


class Params(BaseModel):
    image: list[list[int]]


class DigitRequest(BaseModel):
    token: str
    params: Params


def application() -> FastAPI:
    app = FastAPI()
    model = keras_model()

    @app.get("/ready")
    def ready() -> bool:
        return True

    @app.post("/predict", response_model=None)
    def predict(request: DigitRequest) -> dict[str, Any] | Response:
        if not secrets.compare_digest(request.token, TOKEN):
            return Response(status_code=204)
        image = network_input(request.params.image)
        return prediction(model.predict(image[None], verbose=0)[0])

    return app


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    port = parser.parse_args().port
    uvicorn.run(application(), host="127.0.0.1", port=port, access_log=False, log_level="warning")


if __name__ == "__main__":
    main()
