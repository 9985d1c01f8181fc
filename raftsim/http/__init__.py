"""The operator API. Only `server` knows sockets; the rest maps requests to answers and runs in any world."""
