"""Invented customers and cooks, so that an empty laptop comes to life on the screens."""
