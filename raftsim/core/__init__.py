"""The Raft protocol, pure: no I/O, no clock, no randomness but the generator it is given, nothing global."""
