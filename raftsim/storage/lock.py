"""One process per data directory: an advisory lock that ends with the process, however it ends."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from raftsim.storage.errors import StorageError

_PID_BYTES = 20


class Lock:
    def __init__(self, path: Path) -> None:
        """Take the lock and leave our process id in the file. Raises StorageError naming the holder, and OSError."""
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, str(os.getpid()).encode(), 0)
        except BlockingIOError:
            holder = os.pread(self._fd, _PID_BYTES, 0).decode("ascii", "replace").strip()
            os.close(self._fd)
            raise StorageError(f"{path}: in use by process {holder or 'unknown'}") from None
        except BaseException:
            os.close(self._fd)
            raise

    def release(self) -> None:
        """The file stays: removing it would let two processes lock two files of the same name."""
        os.close(self._fd)
