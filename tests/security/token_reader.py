"""Bearer tokens: whatever is done to a good one, nobody gets in as somebody else."""

from comanda.identity.tokens import InvalidToken
from comanda.identity.verifier import KeysUnavailable
from tests import identity_builders as tokens
from tests.identity_builders import Clock, Issuers, signed, verifier_of
from tests.security.readers import Reader


def token_reader() -> Reader:
    """Make the reader, with a good token of each kind and some forged ones to begin with."""
    good = tuple(signed(claims) for claims in (tokens.customer(), tokens.staff(), tokens.guest()))
    forged = (
        signed(tokens.staff(), key=tokens.THEIRS),
        signed(tokens.staff(), header={"alg": "none", "kid": "k1"}),
        signed(tokens.staff(), header={"alg": "HS256", "kid": "k1"}),
        signed(tokens.staff(), header={"alg": "RS256", "kid": "../../dev/null", "jku": "http://x"}),
    )
    verifier = verifier_of(Issuers(), Clock())
    known = {verifier.verify(token) for token in good}

    def read(text: str) -> None:
        assert verifier.verify(text) in known

    return Reader(
        name="bearer token",
        seeds=good + forged,
        read=read,
        refuses=(InvalidToken, KeysUnavailable),
    )
