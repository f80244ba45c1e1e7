"""``r3mem demo``: four real meetings remembered, checked and asked about."""
