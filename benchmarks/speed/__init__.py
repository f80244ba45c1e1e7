"""How long writes, lookups and expansion take, and how large the file is."""
