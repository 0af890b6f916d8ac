"""The statements of payments; a charge is always locked before it is changed."""

BARE = """
c.charge_id, c.shop_id, c.order_id, c.status, c.amount, c.receiver, c.request, c.provider_id,
c.pix_code, c.expires_at, c.provider_updated_at, c.fetch_began_at, c.paid_at, c.checks,
c.next_check_at, c.created_at, c.flavour, c.payment_id, coalesce(c.order_cancelled_at, (
    SELECT o.cancelled_at FROM cancelled_orders o
    WHERE o.shop_id = c.shop_id AND o.order_id = c.order_id)) AS order_cancelled_at
"""

_LINES = """
SELECT jsonb_agg(jsonb_build_array(l.kind, l.amount::text, l.resource_id) ORDER BY l.entry_id)
"""
COLUMNS = f"""
{BARE}, ({_LINES} FROM ledger l WHERE l.charge_id = c.charge_id) AS lines
"""  # Only the constants above are put in, here and below.

# Read by a statement of its own, after the lock: one that waits for a lock goes on with the
# snapshot from before it waited, and would miss what the other writer added.
LINES = f"""
{_LINES} AS lines FROM ledger l WHERE l.charge_id = %s
"""

OPEN = """
INSERT INTO charges (charge_id, shop_id, order_id, status, amount, receiver, request, flavour,
                     next_check_at, created_at, changed_at)
SELECT %(charge_id)s, %(shop_id)s, %(order_id)s, %(status)s, %(amount)s, %(receiver)s, %(request)s,
       %(flavour)s, %(next_check_at)s, %(created_at)s, %(created_at)s
WHERE NOT EXISTS (SELECT 1 FROM cancelled_orders o
                  WHERE o.shop_id = %(shop_id)s AND o.order_id = %(order_id)s)
ON CONFLICT (shop_id, order_id) DO NOTHING
RETURNING charge_id
"""

LOCK = f"""
SELECT {BARE} FROM charges c WHERE c.shop_id = %s AND c.charge_id = %s FOR UPDATE OF c
"""  # noqa: S608 - Made of our own constants alone.

LOCK_OF_ORDER = f"""
SELECT {BARE} FROM charges c WHERE c.shop_id = %s AND c.order_id = %s FOR UPDATE OF c
"""  # noqa: S608 - Made of our own constants alone.

OF_ORDER = f"""
SELECT {COLUMNS} FROM charges c WHERE c.shop_id = %s AND c.order_id = %s
"""  # noqa: S608 - Made of our own constants alone.

CHARGES_OF = f"""
SELECT {COLUMNS} FROM charges c WHERE c.shop_id = %s AND c.charge_id = ANY(%s)
"""  # noqa: S608 - Made of our own constants alone.

FIND = f"""
SELECT {BARE} FROM charges c WHERE c.shop_id = %s AND c.provider_id = ANY(%s)
"""  # noqa: S608 - Made of our own constants alone.

# The lease is short: a process that dies with charges in hand gives them back by its end.
CLAIM_DUE = f"""
WITH due AS (
    SELECT charge_id FROM charges WHERE next_check_at <= %(now)s
    ORDER BY next_check_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE charges c SET next_check_at = %(until)s, checks = least(c.checks + 1, 1000)
FROM due WHERE c.charge_id = due.charge_id
RETURNING {BARE}
"""  # noqa: S608 - Made of our own constants alone.

SAVE = """
UPDATE charges SET
    status = %(status)s, request = %(request)s, provider_id = %(provider_id)s,
    payment_id = %(payment_id)s, pix_code = %(pix_code)s, expires_at = %(expires_at)s,
    provider_updated_at = %(provider_updated_at)s, fetch_began_at = %(fetch_began_at)s,
    paid_at = %(paid_at)s, order_cancelled_at = %(order_cancelled_at)s, checks = %(checks)s,
    next_check_at = %(next_check_at)s, changed_at = %(now)s
WHERE charge_id = %(charge_id)s
"""

_ADD_ENTRIES = """
INSERT INTO ledger (shop_id, charge_id, kind, amount, source, at, resource_id)
SELECT %(shop_id)s, %(charge_id)s, line.kind, line.amount, %(source)s, line.at, line.resource_id
FROM unnest(%(kinds)s::text[], %(amounts)s::numeric[], %(instants)s::timestamptz[],
            %(resources)s::text[])
    WITH ORDINALITY AS line (kind, amount, at, resource_id, place) ORDER BY line.place
"""

RECORD_NOTIFICATION = """
INSERT INTO webhook_inbox (event_id, shop_id, topic, resource_id, doubt, request, verdict,
                           charge_id, received_at, recorded_at)
VALUES (%(event_id)s, %(noted_shop)s, %(topic)s, %(resource_id)s, %(doubt)s, %(told)s,
        %(verdict)s, %(noted_charge)s, %(received_at)s, %(now)s)
ON CONFLICT DO NOTHING
"""


def save(*, has_entries: bool, has_note: bool) -> str:
    """Write the statement that saves a charge, its lines and the notification that told of them.

    One statement is one round trip and one wake-up, which is what the road of an order costs most.
    """
    if not has_entries and not has_note:
        return SAVE
    last = RECORD_NOTIFICATION if has_note else _ADD_ENTRIES
    lines = f", lines AS ({_ADD_ENTRIES})" if has_entries and has_note else ""
    return f"WITH saved AS ({SAVE}){lines} {last}"


SAVES = {
    (has_entries, has_note): save(has_entries=has_entries, has_note=has_note)
    for has_entries in (False, True)
    for has_note in (False, True)
}

# A human's "this is settled" stands until the provider says something else of the same thing.
OPEN_CASE = """
INSERT INTO cases (shop_id, kind, subject, order_id, detail, opened_at)
SELECT %(shop_id)s, %(kind)s, %(subject)s, %(order_id)s, %(detail)s, %(opened_at)s
WHERE NOT EXISTS (SELECT 1 FROM cases k
                  WHERE k.shop_id = %(shop_id)s AND k.subject = %(subject)s
                    AND k.kind = %(kind)s AND k.detail = %(detail)s)
ON CONFLICT (shop_id, kind, subject) WHERE closed_at IS NULL DO NOTHING
"""

SETTLE_CASE = """
UPDATE cases SET closed_at = %s, closed_by = 'comanda', resolution = %s
WHERE shop_id = %s AND kind = %s AND subject = %s AND closed_at IS NULL
"""

RESOLVE_CASE = """
UPDATE cases SET closed_at = %s, closed_by = %s, resolution = %s
WHERE shop_id = %s AND case_id = %s AND closed_at IS NULL
RETURNING case_id AS id, shop_id, kind, subject, order_id, detail, opened_at
"""

_ATTEMPT = """
attempt_id AS id, shop_id, charge_id, order_id, kind, amount, reason, requested_by, created_at,
resource_id, is_whole, flavour, status, request, sent_at, provider_refund_id, detail, tries,
next_try_at, settled_at
"""

ADD_ATTEMPT = """
INSERT INTO attempts (attempt_id, shop_id, charge_id, order_id, kind, amount, reason, requested_by,
                      created_at, resource_id, is_whole, flavour, status, next_try_at)
VALUES (%(id)s, %(shop_id)s, %(charge_id)s, %(order_id)s, %(kind)s, %(amount)s, %(reason)s,
        %(requested_by)s, %(created_at)s, %(resource_id)s, %(is_whole)s, %(flavour)s,
        %(status)s, %(next_try_at)s)
ON CONFLICT (attempt_id) DO NOTHING
"""

# Bytes that may have gone out are never replaced by others.
SAVE_ATTEMPT = """
UPDATE attempts SET
    status = %(status)s, amount = %(amount)s, request = coalesce(request, %(request)s),
    sent_at = %(sent_at)s, provider_refund_id = %(provider_refund_id)s, detail = %(detail)s,
    tries = %(tries)s, next_try_at = %(next_try_at)s, settled_at = %(settled_at)s
WHERE attempt_id = %(id)s
"""

ONE_OF_ORDER = f"""
SELECT {BARE} FROM charges c WHERE c.shop_id = %s AND c.order_id = %s
"""  # noqa: S608 - Made of our own constants alone.

ATTEMPTS_OF = f"""
SELECT {_ATTEMPT} FROM attempts WHERE charge_id = %s ORDER BY created_at, attempt_id
"""  # noqa: S608 - Made of our own constants alone.

SHOP_ATTEMPTS_OF = f"""
SELECT {_ATTEMPT} FROM attempts WHERE shop_id = %s AND charge_id = %s
ORDER BY created_at, attempt_id
"""  # noqa: S608 - Made of our own constants alone.

CLAIM_ATTEMPTS = f"""
WITH due AS (
    SELECT attempt_id AS due_id FROM attempts WHERE next_try_at <= %(now)s
    ORDER BY next_try_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE attempts SET next_try_at = %(until)s, tries = least(tries + 1, 1000)
FROM due WHERE attempt_id = due_id
RETURNING {_ATTEMPT}
"""  # noqa: S608 - Made of our own constants alone.

NOTE_REPAIR = """
INSERT INTO repairs (shop_id, charge_id, before, after, source, at) VALUES (%s, %s, %s, %s, %s, %s)
"""

NEW_SWEEP = """
INSERT INTO sweeps (shop_id, name, next_at) VALUES (%(shop_id)s, %(name)s, %(now)s)
ON CONFLICT DO NOTHING
"""

CLAIM_SWEEP = """
UPDATE sweeps SET next_at = %(until)s WHERE (shop_id, name) IN (
    SELECT shop_id, name FROM sweeps
    WHERE shop_id = %(shop_id)s AND name = %(name)s AND next_at <= %(now)s
    FOR UPDATE SKIP LOCKED
)
RETURNING shop_id, name, swept_until
"""

FINISH_SWEEP = """
UPDATE sweeps SET swept_until = greatest(swept_until, %s) WHERE shop_id = %s AND name = %s
"""

FORGET_NOTIFICATIONS = """
DELETE FROM webhook_inbox WHERE event_id IN (
    SELECT event_id FROM webhook_inbox WHERE recorded_at < %s ORDER BY recorded_at LIMIT %s)
"""

RECORD_REFUSAL = """
INSERT INTO refused_transitions (shop_id, charge_id, current, asked, source, at)
VALUES (%s, %s, %s, %s, %s, %s)
"""

CANCEL_ORDER = """
INSERT INTO cancelled_orders (shop_id, order_id, cancelled_at) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""

REGISTER_PAYER = """
INSERT INTO payers AS p (shop_id, customer_id, email, told_at) VALUES (%s, %s, %s, %s)
ON CONFLICT (shop_id, customer_id) DO UPDATE SET email = excluded.email, told_at = excluded.told_at
WHERE p.erased_at IS NULL AND (p.told_at IS NULL OR p.told_at <= excluded.told_at)
"""

FORGET_PAYER = """
INSERT INTO payers (shop_id, customer_id, email, erased_at) VALUES (%s, %s, NULL, %s)
ON CONFLICT (shop_id, customer_id) DO UPDATE SET email = NULL, erased_at = excluded.erased_at
"""

PAYER_EMAIL = "SELECT email FROM payers WHERE shop_id = %s AND customer_id = %s"
