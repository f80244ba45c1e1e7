"""Training the network that tells which of two turns supersedes the other."""
