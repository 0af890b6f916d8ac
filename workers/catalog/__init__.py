"""The catalog: what a shop sells, how much of it is left, and for whom it is held."""
