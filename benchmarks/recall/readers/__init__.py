"""Readers of conversations with questions: our open format, and the files of public sets."""
