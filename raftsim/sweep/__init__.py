"""Sweeps: many seeds of one subject, spread over processes, and what all of them together have shown."""
