"""What becomes of speed when there is more of something: messages, shops, orders."""
