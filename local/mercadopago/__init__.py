"""The Mercado Pago simulator: orders, Pix codes, a bank, and signed notifications."""
