"""Do lookups find the passages of documents that answer a question? Beside BM25 and others."""
