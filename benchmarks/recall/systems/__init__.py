"""The systems compared, each behind one small protocol."""
