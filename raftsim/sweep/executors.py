"""Executors by name: `dask://HOST:PORT`, or `package.module:factory`, which returns a `concurrent.futures.Executor`."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager
from typing import Any, Final

DASK: Final = "dask://"
CONNECT_S: Final = 10.0


class BadExecutor(Exception):
    """There is no such executor. The message says why, in one line."""


@contextmanager
def executor_of(name: str) -> Iterator[Executor]:
    """The executor, until the context is left. Raises BadExecutor."""
    if name.startswith(DASK):
        with _dask(name.removeprefix(DASK)) as executor:
            yield executor
        return
    executor = _made(name)
    try:
        yield executor
    finally:
        executor.shutdown(cancel_futures=True)


@contextmanager
def _dask(address: str) -> Iterator[Executor]:
    try:
        distributed: Any = importlib.import_module("distributed")  # typed in some versions only
    except ImportError:
        raise BadExecutor(f"{DASK} needs dask: pip install 'raftsim[dask]'") from None
    try:
        client = distributed.Client(f"tcp://{address}", timeout=CONNECT_S, set_as_default=False)
    except (OSError, ValueError) as error:
        raise BadExecutor(f"{DASK}{address}: {_line(error)}") from None
    with client:
        executor: Executor = client.get_executor(pure=False)
        yield executor


def _made(name: str) -> Executor:
    module_name, colon, factory_name = name.partition(":")
    if not (module_name and colon and factory_name):
        raise BadExecutor(f"{name}: neither {DASK}HOST:PORT nor module:factory")
    try:
        module = importlib.import_module(module_name)
    except Exception as error:  # of any code that is not ours
        raise BadExecutor(f"{name}: cannot import {module_name}: {_line(error)}") from error
    factory: Any = getattr(module, factory_name, None)
    if not callable(factory):
        raise BadExecutor(f"{name}: {module_name} has no factory called {factory_name}")
    try:
        executor = factory()
    except Exception as error:  # of any code that is not ours
        raise BadExecutor(f"{name}: it failed: {_line(error)}") from error
    if not isinstance(executor, Executor):
        raise BadExecutor(f"{name}: it made a {type(executor).__name__}, which is no concurrent.futures.Executor")
    return executor


def _line(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())
