"""Bytes a turn costs as memory tokens, beside static coders, zstd and brotli."""
