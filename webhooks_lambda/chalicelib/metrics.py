"""Count outcomes in the log line itself, in CloudWatch's embedded metric format."""

import time
from typing import Any

NAMESPACE = "Comanda"


def counted(outcome: str) -> dict[str, Any]:
    """Give the keys that make a log line count one notification with this outcome."""
    metric = {
        "Namespace": NAMESPACE,
        "Dimensions": [["outcome"]],
        "Metrics": [{"Name": "comanda_notifications_total", "Unit": "Count"}],
    }
    return {
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [metric]},
        "outcome": outcome,
        "comanda_notifications_total": 1,
    }
