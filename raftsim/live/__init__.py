"""The ports of the node on asyncio: TCP between servers, disk threads, the clock; and a whole server made of them."""
