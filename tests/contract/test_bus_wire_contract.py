"""Our bus answers as AWS does; the emulators, too, but for what is listed by name."""

from collections.abc import Iterator

import pytest

from tests.messaging_answers import AWS, DIVERGENCES, Probe
from tests.messaging_parties import WIRED, Party, running
from tests.messaging_wire import Wire


@pytest.fixture(scope="module", params=WIRED)
def party(request: pytest.FixtureRequest) -> Iterator[Party]:
    with running(request.param) as party:
        yield party


@pytest.mark.parametrize("probe", AWS, ids=lambda probe: probe.__name__)
def test_it_answers_as_aws_does_or_differs_as_listed(party: Party, probe: Probe) -> None:
    wire = Wire(party.client("sqs"), party.client("sns"))

    try:
        answer = probe(wire)
    finally:
        wire.close()

    assert answer == DIVERGENCES.get((party.name, probe), AWS[probe])


def test_our_bus_has_no_divergence_and_none_is_listed_in_vain() -> None:
    assert not [probe for name, probe in DIVERGENCES if name in ("bus", "aws")]
    assert all(answer != AWS[probe] for (_, probe), answer in DIVERGENCES.items())
