"""The laptop: stand-ins for AWS and Mercado Pago, and the supervisor that starts them all."""
