"""Mercado Pago: signatures of notifications, payloads and the client of its Orders API."""
