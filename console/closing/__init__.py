"""The closing of a shop's day: what its orders say beside what the ledger says."""
