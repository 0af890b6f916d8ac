"""The speed of orders: beside a bare route, and as the table grows."""
