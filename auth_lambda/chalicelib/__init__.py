"""Who is the customer: sign-up, one-time codes, staff and guests, behind one Chalice app."""
