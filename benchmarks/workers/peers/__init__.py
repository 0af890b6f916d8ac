"""The other consumers, each as its own documentation would have it."""
