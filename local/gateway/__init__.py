"""API Gateway on the laptop: Lambda events for the Chalice apps, and the one public door."""
