"""What Mercado Pago said: verified, published, answered."""
