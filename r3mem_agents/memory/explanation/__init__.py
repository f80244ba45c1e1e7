"""Explanations of lookups, in words."""
