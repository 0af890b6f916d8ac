"""Payments: one Pix charge per order, what the provider says of it, and where every real went."""
