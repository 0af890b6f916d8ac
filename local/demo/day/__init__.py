"""A shop's whole day, compressed: a menu, thousands of orders, mishaps, outages, then the books."""
