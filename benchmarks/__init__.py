"""How fast it is, beside others, on the machine at hand. Each system is started here, on loopback, and stopped."""
