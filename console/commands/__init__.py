"""What `comanda` can be told, a module for each noun."""
