"""The operator API. Only `server` and `connection` know sockets; the rest maps requests to answers in any world."""
