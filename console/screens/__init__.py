"""What people look at: pages over the private APIs of the contexts; nothing is stored here."""
