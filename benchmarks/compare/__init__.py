"""One build beside an earlier one, and beside peers, in the same run."""
