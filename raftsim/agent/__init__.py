"""One server process: its configuration, its identity, the assembly of live and http, its signals."""
