from __future__ import annotations

from raftsim.live.faults import LinkFaults


def test_exactly_the_peers_named_last_are_cut_off() -> None:
    faults = LinkFaults()
    assert not faults.drops("n2")
    faults.block(["n2", "n3"])
    assert [faults.drops(peer) for peer in ("n2", "n3", "n4")] == [True, True, False]
    faults.block(["n4"])
    assert [faults.drops(peer) for peer in ("n2", "n3", "n4")] == [False, False, True]
    assert faults.blocked == {"n4"}
    faults.block([])
    assert not faults.drops("n4")
    assert faults.dropped == 3
