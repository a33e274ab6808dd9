"""The echo pipeline written by hand: a plain ASGI handler with orjson, under uvicorn."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from typing import Any

import orjson

TOKEN = "an-echo"
HEADERS = [(b"content-type", b"application/json")]


async def echo(
    scope: dict[str, Any],
    receive: Callable[[], Awaitable[dict[str, Any]]],
    send: Callable[[dict[str, Any]], Awaitable[None]],
) -> None:
    """Check the token, decode, reshape, encode. A wrong token gets an empty answer."""
    message = await receive()
    body = message.get("body", b"")
    while message.get("more_body"):
        message = await receive()
        body += message.get("body", b"")
    request = orjson.loads(body) if body else {}
    if request.get("token") != TOKEN:
        await send({"type": "http.response.start", "status": 204, "headers": []})
        await send({"type": "http.response.body", "body": b""})
        return
    customer = request["customer"]
    answer = orjson.dumps(
        {
            "id": request["id"],
            "name": customer["name"],
            "city": customer["city"],
            "total": request["amount"] * request["quantity"],
        }
    )
    headers = [*HEADERS, (b"content-length", b"%d" % len(answer))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer})


def main() -> None:
    import uvicorn  # installed for the process that runs it only

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    uvicorn.run(
        echo,
        host="127.0.0.1",
        port=parser.parse_args().port,
        http="httptools",
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_level="warning",
    )


if __name__ == "__main__":
    main()
