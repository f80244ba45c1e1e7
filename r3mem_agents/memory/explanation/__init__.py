"""What a lookup came to, in words."""
