"""What lies on the queues and among their dead letters, for those who run Comanda."""
