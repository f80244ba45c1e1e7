"""Training of the memory tokens that a causal language model reads."""
