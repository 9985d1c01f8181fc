"""Where clusters that stay are kept: `$RAFTSIM_HOME/clusters/NAME`, by default under `~/.local/state/raftsim`."""

from __future__ import annotations

import os
import re
from pathlib import Path

from raftsim.cluster.errors import ClusterError

DEFAULT_NAME = "default"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,62}")


def cluster_dir(name: str) -> Path:
    """The directory of the cluster called `name`, whether it exists or not. Raises ClusterError for a bad name."""
    if not _NAME.fullmatch(name):
        raise ClusterError(f"not a cluster name: {name!r} (letters, digits, '.', '_' and '-')")
    return _clusters() / name


def existing_cluster(name: str | None) -> Path:
    """The directory of `name`; without a name `default`, or else the only cluster there is. Raises ClusterError."""
    found = cluster_names()
    if name is None:
        name = found[0] if len(found) == 1 else DEFAULT_NAME
    directory = cluster_dir(name)
    if name in found:
        return directory
    others = f"; there are: {', '.join(found)}" if found else ""
    raise ClusterError(f"there is no cluster called {name}{others} (start one: raftsim cluster start -name={name})")


def cluster_names() -> list[str]:
    """The clusters there are, sorted."""
    try:
        return sorted(path.name for path in _clusters().iterdir() if _NAME.fullmatch(path.name) and path.is_dir())
    except OSError:
        return []


def state_folder() -> Path:
    """Where raftsim keeps files of its own."""
    home = os.environ.get("RAFTSIM_HOME")
    return Path(home).absolute() if home else Path.home() / ".local" / "state" / "raftsim"


def _clusters() -> Path:
    return state_folder() / "clusters"
