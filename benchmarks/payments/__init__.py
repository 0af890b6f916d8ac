"""The speed of payments, beside the official SDK and beside bare statements."""
