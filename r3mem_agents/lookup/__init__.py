"""From a question to the turns that answer it: arrays, evidence of each level, ranking; no text."""
