"""How AWS names things: ARNs, addresses and ids."""

import random

REGION, ACCOUNT = "sa-east-1", "000000000000"
_dice = random.Random(random.SystemRandom().getrandbits(128))


def queue_arn(name: str) -> str:
    """Name a queue to other services."""
    return f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"


def topic_arn(name: str) -> str:
    """Name a topic."""
    return f"arn:aws:sns:{REGION}:{ACCOUNT}:{name}"


def new_id() -> str:
    """Draw an id shaped like a UUID; three times cheaper than `uuid4`, and no secret."""
    digits = f"{_dice.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"
