"""Zones (Gibbons and Korach 1997): linearizability without a search, where it is known which write each read saw.

For one key on which every value is written once and there are only reads and writes. A write and its reads are a
cluster, which must be of one piece in any order. Its zone lies between the first return and the last call in it. If the
return comes first, the value was there for the whole of that time (a forward zone). A history is linearizable exactly
if no read ends before its write begins, no two forward zones overlap, and no other zone lies inside a forward one.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from raftsim.check.clients.models import Value
from raftsim.check.clients.partition import NEVER, Partition
from raftsim.check.clients.tidy import UNREAD, unique_facts


@dataclass(slots=True)
class _Zone:
    begun: float  # when the write was called
    first_return: float
    last_call: float


def linearizable_by_zones(part: Partition) -> bool | None:
    """Whether a tidied part is linearizable; None where zones cannot tell."""
    zones = _zones(part)
    if zones is None:
        return None
    if any(zone.first_return < zone.begun for zone in zones):
        return False
    forward = sorted((z.first_return, z.last_call) for z in zones if z.first_return < z.last_call)
    end = -NEVER
    for first_return, last_call in forward:
        if first_return < end:
            return False
        end = max(end, last_call)
    starts = [start for start, _ in forward]
    for zone in zones:
        if zone.first_return >= zone.last_call:
            before = bisect_left(starts, zone.last_call) - 1  # of the forward zones, the last to begin before this one
            if before >= 0 and forward[before][1] > zone.first_return:
                return False
    return True


def _zones(part: Partition) -> list[_Zone] | None:
    """All zones; None unless the part is as the method needs it. A read of what nobody wrote ends before its write."""
    unique = unique_facts(part)
    if len(part.keys) != 1 or (0, part.initial[0]) not in unique:
        return None
    zones: dict[Value, _Zone] = {part.initial[0]: _Zone(-NEVER, -NEVER, -NEVER)}
    unread = []
    for step in part.steps:
        if step.misses or step.open or (step.sets is None) == (not step.finds):
            return None
        if step.sets is not None:
            zone = _Zone(step.called, step.returned, step.called)
            if step.sets[1] is UNREAD:
                unread.append(zone)
            elif step.sets in unique:
                zones[step.sets[1]] = zone
            else:
                return None
    for step in part.steps:
        for _, value in step.finds:
            zone = zones.setdefault(value, _Zone(NEVER, step.returned, step.called))
            zone.first_return = min(zone.first_return, step.returned)
            zone.last_call = max(zone.last_call, step.called)
    return [*zones.values(), *unread]
