"""A thread beside the loop, for what blocks."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Generic, TypeVar

from raftsim.storage.errors import StorageError

T = TypeVar("T")


class Worker(Generic[T]):
    """`work` is called in the thread with everything that waits, in order, whenever something does.

    Fail-stop: once `work` has raised, nothing is worked on any more; `on_failure` gets one sentence, on the loop.
    """

    def __init__(self, name: str, work: Callable[[list[T]], None], on_failure: Callable[[str], None]) -> None:
        self._work = work
        self._on_failure = on_failure
        self._queue: SimpleQueue[T | None] = SimpleQueue()  # None: the end
        self._ended = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        # A daemon: a disk that hangs for ever must not keep the process from ending.
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._started = False

    def start(self) -> None:
        self._started = True
        self._thread.start()

    def put(self, job: T) -> None:
        self._queue.put(job)

    async def stop(self) -> None:
        """Finish what was put in, then end the thread."""
        if self._started:
            self._queue.put(None)
            await self._ended.wait()
            self._thread.join()

    def _run(self) -> None:
        try:
            while jobs := self._next_batch():
                self._work(jobs)
        except StorageError as error:
            self._loop.call_soon_threadsafe(self._on_failure, str(error))
        except Exception as error:  # noqa: BLE001 - whatever it was, the work was not done
            self._loop.call_soon_threadsafe(self._on_failure, f"the {self._thread.name} thread failed: {error!r}")
        self._loop.call_soon_threadsafe(self._ended.set)

    def _next_batch(self) -> list[T]:
        """Everything that waits, and at least one job; nothing once the end was reached."""
        jobs: list[T] = []
        while not jobs or not self._queue.empty():  # only this thread takes, so what is not empty stays so
            job = self._queue.get()
            if job is None:
                self._queue.put(None)  # to be found again after this batch
                break
            jobs.append(job)
        return jobs
