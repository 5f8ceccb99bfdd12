"""The local server that every client is measured against: nginx, one process, on its own core."""
