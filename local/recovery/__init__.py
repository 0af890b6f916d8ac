"""A drill: back up both databases while people buy, lose them, restore, reconcile, audit."""
