"""``r3mem chat``: a talk with a memory, in the terminal."""
