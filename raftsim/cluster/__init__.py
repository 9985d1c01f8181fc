"""Local clusters of real server processes: starting, stopping and breaking them."""
