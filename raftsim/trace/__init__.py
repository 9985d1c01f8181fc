"""One event schema for both worlds."""
