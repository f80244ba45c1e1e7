"""Many clients of several users at once: what is lost, what is crossed, and how long it takes."""
