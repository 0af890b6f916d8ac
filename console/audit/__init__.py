"""The audit: five money invariants over the three stores and the provider."""
