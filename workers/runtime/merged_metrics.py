"""The metrics of several processes on one page, told apart by the label `process`.

Prometheus's own multiprocess mode was not taken: it writes every sample to a mapped file, on the
path of each message, and keeps the files of processes that died. A label costs nothing there, and
a process that starts again is a counter that starts again, which `rate()` knows.
"""

from collections.abc import Iterator, Mapping

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector

LABEL = "process"


def merged(pages: Mapping[str, str]) -> bytes:
    """Give one page of all samples; the keys of `pages` become the label."""
    families: dict[str, Metric] = {}
    for process, text in pages.items():
        for family in text_string_to_metric_families(text):
            kept = families.setdefault(
                family.name, Metric(family.name, family.documentation, family.type)
            )
            kept.samples += [
                sample._replace(labels={**sample.labels, LABEL: process})
                for sample in family.samples
            ]
    registry = CollectorRegistry()
    registry.register(_Given(families))
    return generate_latest(registry)


class _Given(Collector):
    def __init__(self, families: Mapping[str, Metric]) -> None:
        self._families = families

    def collect(self) -> Iterator[Metric]:
        yield from self._families.values()
