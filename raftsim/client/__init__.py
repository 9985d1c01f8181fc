"""An asyncio client of a cluster: `Client`, and what its methods return and raise."""

from raftsim.client.client import Client
from raftsim.client.errors import ClientError, Conflict, Refused, Unknown
from raftsim.client.variables import Deleted, Put, Variable

__all__ = ["Client", "ClientError", "Conflict", "Deleted", "Put", "Refused", "Unknown", "Variable"]
