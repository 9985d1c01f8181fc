"""Which election timeouts to choose, from how long messages and writes take."""
