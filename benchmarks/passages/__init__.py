"""Documents cut into passages, weighed under the model and under LZMA."""
