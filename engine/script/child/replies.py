"""Documents and answers on their way out, in as many frames as they need."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .failure import Failure
from .protocol import FrameTooLargeError, NotSendableError, halves

Send = Callable[..., None]


class UnsendableError(Exception):
    """The documents of a hook cannot be sent; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure)
        self.failure = failure


def send_documents(send: Send, documents: list[Any], hook: str, last: bool = True) -> None:
    """What `snaplogic_init` or `snaplogic_final` returned; raises UnsendableError."""
    try:
        send("documents", documents, last)
    except FrameTooLargeError as error:
        if len(documents) < 2:
            raise UnsendableError(_unsendable(hook, error)) from error
        first, second = halves(documents)
        send_documents(send, first, hook, last=False)
        send_documents(send, second, hook, last)
    except NotSendableError as error:
        raise UnsendableError(_unsendable(hook, error)) from error


def send_answers(send: Send, answers: list[Any], failures: list[tuple[int, Failure]]) -> None:
    """One answer per row; a row whose answer cannot be sent gets that as its failure."""
    try:
        send("answers", answers, failures)
    except (FrameTooLargeError, NotSendableError) as error:
        if len(answers) == 1:
            send("answers", [None], [(0, _unsendable("snaplogic_process", error))])
            return
        first, second = halves(answers)
        middle = len(first)
        send_answers(send, first, [(at, told) for at, told in failures if at < middle])
        rest = [(at - middle, told) for at, told in failures if at >= middle]
        send_answers(send, second, rest)


def send_outcomes(send: Send, outcomes: list[Any], last: bool = True) -> None:
    """(number of the row, documents, failure) of the rows that are done with.

    A row whose documents cannot be sent gets that as its failure.
    """
    try:
        send("outcomes", outcomes, last)
    except (FrameTooLargeError, NotSendableError) as error:
        if len(outcomes) == 1:
            told = _unsendable("the script", error)
            send("outcomes", [(outcomes[0][0], [], told)], last)
            return
        first, second = halves(outcomes)
        send_outcomes(send, first, last=False)
        send_outcomes(send, second, last)


def _unsendable(hook: str, error: Exception) -> Failure:
    return (
        f"the result of {hook} cannot be passed on",
        str(error),
        "Return smaller documents of plain values.",
        "",
    )
