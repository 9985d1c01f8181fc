"""What every test can rely on."""

from __future__ import annotations

import signal

# A shell starts what it puts into the background with SIGINT ignored, and every process that a test starts inherits
# that: Ctrl-C could not be tested. Setting a handler gives children the default again.
signal.signal(signal.SIGINT, signal.default_int_handler)
