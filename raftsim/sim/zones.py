"""Servers in zones: a matrix of what lies between two of them, or within one."""

from __future__ import annotations

from collections.abc import Mapping

from raftsim.sim.network import NetworkModel


def zoned(
    zone_of: Mapping[str, str], matrix: Mapping[tuple[str, str], NetworkModel]
) -> dict[tuple[str, str], NetworkModel]:
    """The links between the servers named in `zone_of`, for `World(links=...)`.

    The matrix need not say both directions of a pair, nor all pairs: what is not in it is as the world's network is.
    """
    links = {}
    for src, here in zone_of.items():
        for dst, there in zone_of.items():
            model = matrix.get((here, there)) or matrix.get((there, here))
            if src != dst and model is not None:
                links[src, dst] = model
    return links
