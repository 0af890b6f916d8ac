"""How facts travel: a publisher onto a topic, a queue to receive from."""
