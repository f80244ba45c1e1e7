"""The demonstration: four real meetings remembered, checked and asked about."""
