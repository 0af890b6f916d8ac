"""What a path or a query names: a shop of this process, a charge, an order, or 404 and 422."""

import re
from typing import Annotated

from fastapi import Depends, Query

from comanda.ids import ChargeId
from workers.runtime.http import Problem

# Ids are ours or the provider's; PostgreSQL refuses a text with a NUL by an error, not by a row.
_VISIBLE = r"[\x21-\x7e]"
_CHARGE = re.compile(_VISIBLE + "{1,64}")


async def named_charge(charge_id: str) -> ChargeId:
    """Take the charge of the path; 404 for what cannot be one's id."""
    if not _CHARGE.fullmatch(charge_id):
        raise Problem(404, "There is no such charge")
    return ChargeId(charge_id)


NamedCharge = Annotated[ChargeId, Depends(named_charge)]
VisibleText = Query(min_length=1, max_length=128, pattern=f"^{_VISIBLE}+$")
