"""Memory tokens that a base model reads, beside what they stand for."""
