"""Every run of a small cluster, not a random one: the real core under all orders of events, up to stated bounds.

What is not explored: time (so pre-vote, check-quorum and stickiness are off), membership changes, snapshots, and what
happens while a disk is busy, except that a crash may come before any write.
"""
