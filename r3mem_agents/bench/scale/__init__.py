"""Lookups among many turns and many users."""
