"""What we did not write ourselves: what is pinned, what is known against it, what it is made of."""
