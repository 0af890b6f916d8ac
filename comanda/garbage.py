"""The cycle collector of processes that run long."""

import gc

# One look for every 700 new objects, Python's default, took 14 % of the processor time of our
# APIs under load. Reference counts free nearly all that we make; exceptions leave some cycles.
_NEW_OBJECTS = 50_000
_YOUNG_LOOKS = 20
_MIDDLE_LOOKS = 100


def collect_seldom() -> None:
    """Leave what start-up made out of every later look, and look less often; call it when ready."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(_NEW_OBJECTS, _YOUNG_LOOKS, _MIDDLE_LOOKS)
