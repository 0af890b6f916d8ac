"""What people look at and type; it reaches the contexts by their APIs and never by their stores."""
