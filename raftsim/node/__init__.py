"""One whole server without I/O: turns, requests, forwarding, the operator. Live and simulated worlds share it."""
