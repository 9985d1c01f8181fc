"""What this room raises on purpose."""

from __future__ import annotations


class ClusterError(Exception):
    """Something could not be done to a cluster; the message is one sentence for the person who asked."""
