"""What servers say to each other, as bytes: frames, the codec of every message, the handshake."""
