"""Published measurements of Raft, done again with the simulated servers and compared with what was published."""
