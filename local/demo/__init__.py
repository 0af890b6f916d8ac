"""Drive orders through the public doors as a client would, and balance the books."""
