"""The scenario language and its runner: the same file against a simulated cluster and against real processes."""
