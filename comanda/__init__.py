"""What all sides of Comanda agree on: ids, money, events, the envelope, settings and the wire."""
