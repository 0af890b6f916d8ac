"""Orders: what customers want, where each order stands, and what the kitchen does next."""
