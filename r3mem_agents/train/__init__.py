"""Training: corpus, objective, loop, record; what ``r3mem train`` runs."""
