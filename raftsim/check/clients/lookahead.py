"""What is still to come for a value: it must not be left before all who found it have had their turn.

A value that is set only once never comes back. So an order that leaves it while an answered operation that found it is
not in the order yet is lost already, and need not be followed.
"""

from __future__ import annotations

from raftsim.check.clients.models import Fact
from raftsim.check.clients.partition import Partition, Step
from raftsim.check.clients.tidy import unique_facts


def finders(part: Partition) -> dict[Fact, list[Step]]:
    """For every value that cannot come back, the answered steps that found it, in the order of their calls."""
    found: dict[Fact, list[Step]] = {fact: [] for fact in unique_facts(part)}
    for step in part.steps:
        if not step.open:
            for fact in step.finds:
                if fact in found:
                    found[fact].append(step)
    return {fact: steps for fact, steps in found.items() if steps}
