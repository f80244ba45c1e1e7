"""Histories that people bring along: a file is recognized, and read as turns."""
