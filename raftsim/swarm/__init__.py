"""The swarm: whole runs drawn from a seed, from the number of servers to the last fault, and how they must end."""
