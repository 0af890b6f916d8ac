"""Events in, state and further events out."""
