"""What the real servers of these tests need of the machine."""

from local.postgres.volume import is_allowed

# Not every system lets an ordinary user mount a volume that can be filled.
collect_ignore_glob = [] if is_allowed() else ["test_chaos_disk.py"]
