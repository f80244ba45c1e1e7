"""Training: what ``r3mem train`` runs for the expander, and ``r3mem distil`` for the encoder."""
