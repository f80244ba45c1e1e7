"""From a question to the turns that answer it: evidence and ranking, on arrays, not text."""
