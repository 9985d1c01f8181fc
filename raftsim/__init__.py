"""raftsim: a Raft cluster you can break on purpose."""

__version__ = "0.1.0"
