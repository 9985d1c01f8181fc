"""Spreading seeds over an executor of `concurrent.futures`: processes, a cluster, or this very process."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from itertools import islice
from typing import Any, Final

from raftsim.sweep.result import Result
from raftsim.sweep.subjects import Subject, run_seeds

BATCH: Final = 4  # seeds that a worker does at a time
AHEAD: Final = 4  # batches that wait for each worker: enough to keep it at work, few enough to stop soon


class Inline(Executor):
    """Does the work where it is handed in."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except Exception as error:  # noqa: BLE001 - it is the future's to raise it
            future.set_exception(error)
        return future


def spread(
    subject: Subject, seeds: Iterable[int], executor: Executor, workers: int, take: Callable[[Result], None]
) -> None:
    """Run all seeds and `take` each result, in the order in which they come in.

    `workers`: how many there may be in the executor. When this ends early, by an exception, what has not begun never
    does. Raises what the executor raises when it fails.
    """
    batches = _batches(seeds)
    most = 1 if isinstance(executor, Inline) else AHEAD * workers
    pending: set[Future[list[Result]]] = set()
    try:
        while True:
            for batch in islice(batches, most - len(pending)):
                pending.add(executor.submit(run_seeds, subject, batch))
            if not pending:
                return
            done, pending = wait(pending, return_when=FIRST_COMPLETED)
            for future in done:
                for result in future.result():
                    take(result)
    finally:
        for future in pending:
            future.cancel()


def processes(count: int) -> ProcessPoolExecutor:
    """That many processes, which leave Ctrl-C to this one."""
    return ProcessPoolExecutor(count, initializer=_ignore_interrupts)


def _batches(seeds: Iterable[int]) -> Iterator[list[int]]:
    rest = iter(seeds)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _ignore_interrupts() -> None:
    import signal

    signal.signal(signal.SIGINT, signal.SIG_IGN)
