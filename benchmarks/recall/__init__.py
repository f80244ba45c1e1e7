"""Do lookups find the turns that answer a question? Beside BM25, vectors and others."""
