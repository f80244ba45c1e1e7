"""Training of a checkpoint's networks: expander, encoder and superseder."""
