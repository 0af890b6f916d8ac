"""Chaos on the laptop: customers buy under a seeded schedule of faults; then the books talk."""
