"""Writes down that a clip could not be analysed although it was tried again and again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from uriai.domain.identity import AnalysisKey
from uriai.service.locate_clip import Arrival, locate_clip
from uriai.service.ports.clock import Clock
from uriai.service.ports.repositories import AnalysisState, Failure, Repositories, Transactions

RETRYING = "retrying"
"""Reason code of an attempt that failed and will be repeated."""
RETRIES_EXHAUSTED = "retries_exhausted"
"""Reason code after the last attempt."""


_FailureAfter = Callable[[Failure | None], Failure | None]
"""From what is written of the attempt before to what is to be written now; None to leave it."""


@dataclass(frozen=True, slots=True)
class FailureRecord:
    """What is needed to write a failed row: which models were to look, where rows go, what time it is."""

    models: Mapping[str, str]
    model_set: bytes
    transactions: Transactions
    clock: Clock


def note_failed_attempt(arrival: Arrival, error: str, record: FailureRecord) -> bool:
    """Write a row that says what went wrong with this attempt, so that the last one's reason is known in the end.

    The answer is whether a row was written: a finished analysis is left alone.
    """
    return _write(arrival, lambda _: Failure(RETRYING, error), record)


def fail_clip(arrival: Arrival, record: FailureRecord) -> bool:
    """Write the ``failed`` row of a clip whose every attempt failed, with the last attempt's reason if it left one.

    The answer is whether a row was written: a finished analysis, or a failure with a reason of its own, is
    left alone.
    """

    def failure(last: Failure | None) -> Failure | None:
        if last is None:
            return Failure(
                RETRIES_EXHAUSTED,
                "no attempt left an error: out of memory, out of time, or the function did not start",
            )
        if last.code == RETRYING:
            return Failure(RETRIES_EXHAUSTED, f"the last attempt failed with {last.reason}")
        return None

    return _write(arrival, failure, record)


def _write(arrival: Arrival, failure_after: _FailureAfter, record: FailureRecord) -> bool:
    def work(rows: Repositories) -> bool:
        now = record.clock.now()
        row = locate_clip(rows, arrival, now).row
        rows.clips.lock(row.id)
        analysis = AnalysisKey(row.id, record.model_set)
        stored = rows.analyses.find(analysis)
        if stored is not None and stored.state is AnalysisState.DONE:
            return False
        failure = failure_after(stored.failure if stored else None)
        if failure is None:
            return False
        rows.analyses.save_failed(analysis, record.models, failure, now)
        return True

    return record.transactions.run(work)
