"""Who is calling: one verifier of tokens for everybody, and the signer of guests' tokens."""
