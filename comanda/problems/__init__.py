"""Every problem that a service answers, and its words in English and Portuguese (RFC 9457)."""
