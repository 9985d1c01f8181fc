"""From a run that fails to the smallest scenario file found that still fails, by the same judge."""
