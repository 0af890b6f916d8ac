"""How fast tokens are verified, beside PyJWT and joserfc with cached keys."""
