"""Tuning an encoder on questions and the turns that answer them."""
