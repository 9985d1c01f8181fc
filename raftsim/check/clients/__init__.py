"""What clients saw, judged from outside: histories of operations, whatever system they come from."""
