"""What the domain falls over, other than a refusal, is a defect of ours. Left alone it would fail
the workflow task for ever: nobody could act on the issue any more, and none of its clocks would
ring. So whoever asked hears of it, the desk tries again later what it does by itself, and the issue
stays as it was.

A program that is mended meanwhile must come to the same end when it lives through that again, or
what follows would not fit the history. So a marker in the history says where a defect was met.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

from temporalio import workflow
from temporalio.exceptions import ApplicationError, FailureError

from domain.contract import DEFECT

TRY_AGAIN = timedelta(hours=1)
"""When the desk takes a step of its own again that a defect kept it from."""

T = TypeVar("T")


def sound(think: Callable[[], T]) -> T:
    """Return what the domain thinks.

    Raises:
        FailureError: as it came: a refusal is an answer.
        ApplicationError: ``Defect``; without what was fallen over, which may be a customer's (R30).
    """
    try:
        return think()
    except FailureError:
        raise
    except Exception as defect:  # noqa: BLE001  whatever it is, the task must not fail over it
        workflow.logger.exception("a defect")
        raise _met(type(defect).__name__) from None


class Defects:
    """The defects that a workflow has met."""

    def __init__(self) -> None:
        self._met: Counter[str] = Counter()

    def sound(self, what: str, think: Callable[[], T]) -> T:
        """Return what the domain thinks, or thought; commands may follow from it.

        Raises:
            FailureError: as ``sound`` does; ``Defect`` also if one was met here once.
        """
        marker = f"defect-{what}-{self._met[what]}"
        lived_before = workflow.unsafe.is_replaying()
        if lived_before and workflow.patched(marker):
            self._met[what] += 1
            raise _met("met before")
        try:
            return sound(think)
        except ApplicationError as error:
            # Where there was none a history cannot go on with one: the task waits to be mended.
            if error.type == DEFECT and not lived_before:
                self._met[what] += 1
                workflow.patched(marker)
            raise


def _met(what: str) -> ApplicationError:
    return ApplicationError(
        f"the desk's program is at fault, not what was sent ({what}): nothing was changed, and the "
        "issue goes on. Tell whoever runs the desk; the log of its worker says where",
        type=DEFECT,
        non_retryable=True,
    )
