"""Where the processor time of an order goes, and what each mend of it is worth, undone again."""
