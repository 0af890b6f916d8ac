"""Mercado Pago: signatures of notifications, payloads, and a port to both of its APIs."""
