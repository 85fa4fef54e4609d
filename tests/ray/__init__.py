"""On Ray: a cluster of two nodes on this machine."""
