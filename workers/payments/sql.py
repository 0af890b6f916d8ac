"""The statements of payments; a charge is always locked before it is changed."""

_COLUMNS = """
c.charge_id, c.shop_id, c.order_id, c.status, c.amount, c.receiver, c.request, c.provider_id,
c.pix_code, c.expires_at, c.provider_updated_at, c.fetch_began_at, c.paid_at, c.checks,
c.next_check_at, c.created_at, coalesce(c.order_cancelled_at, (
    SELECT o.cancelled_at FROM cancelled_orders o
    WHERE o.shop_id = c.shop_id AND o.order_id = c.order_id)) AS order_cancelled_at
"""

OPEN = """
INSERT INTO charges (charge_id, shop_id, order_id, status, amount, receiver, request, next_check_at,
                     created_at, changed_at)
SELECT %(charge_id)s, %(shop_id)s, %(order_id)s, %(status)s, %(amount)s, %(receiver)s, %(request)s,
       %(next_check_at)s, %(created_at)s, %(created_at)s
WHERE NOT EXISTS (SELECT 1 FROM cancelled_orders o
                  WHERE o.shop_id = %(shop_id)s AND o.order_id = %(order_id)s)
ON CONFLICT (shop_id, order_id) DO NOTHING
"""

LOCK = f"""
SELECT {_COLUMNS} FROM charges c WHERE c.shop_id = %s AND c.charge_id = %s FOR UPDATE OF c
"""  # noqa: S608  # Only the constant above is put in, here and below.

LOCK_OF_ORDER = f"""
SELECT {_COLUMNS} FROM charges c WHERE c.shop_id = %s AND c.order_id = %s FOR UPDATE OF c
"""  # noqa: S608

OF_ORDER = f"""
SELECT {_COLUMNS} FROM charges c WHERE c.shop_id = %s AND c.order_id = %s
"""  # noqa: S608

FIND = f"""
SELECT {_COLUMNS} FROM charges c WHERE c.shop_id = %s AND c.provider_id = ANY(%s)
"""  # noqa: S608

# The lease is short: a process that dies with charges in hand gives them back by its end.
CLAIM_DUE = f"""
WITH due AS (
    SELECT charge_id FROM charges WHERE next_check_at <= %(now)s
    ORDER BY next_check_at LIMIT %(limit)s FOR UPDATE SKIP LOCKED
)
UPDATE charges c SET next_check_at = %(until)s, checks = least(c.checks + 1, 1000)
FROM due WHERE c.charge_id = due.charge_id
RETURNING {_COLUMNS}
"""  # noqa: S608

SAVE = """
UPDATE charges SET
    status = %(status)s, request = %(request)s, provider_id = %(provider_id)s,
    pix_code = %(pix_code)s, expires_at = %(expires_at)s,
    provider_updated_at = %(provider_updated_at)s, fetch_began_at = %(fetch_began_at)s,
    paid_at = %(paid_at)s, order_cancelled_at = %(order_cancelled_at)s, checks = %(checks)s,
    next_check_at = %(next_check_at)s, changed_at = %(now)s
WHERE charge_id = %(charge_id)s
"""

ADD_ENTRY = """
INSERT INTO ledger (shop_id, charge_id, kind, amount, source, at) VALUES (%s, %s, %s, %s, %s, %s)
"""

OPEN_CASE = """
INSERT INTO cases (shop_id, kind, subject, order_id, detail, opened_at)
VALUES (%s, %s, %s, %s, %s, %s)
ON CONFLICT (shop_id, kind, subject) WHERE closed_at IS NULL DO NOTHING
"""

RECORD_REFUSAL = """
INSERT INTO refused_transitions (shop_id, charge_id, current, asked, source, at)
VALUES (%s, %s, %s, %s, %s, %s)
"""

RECORD_NOTIFICATION = """
INSERT INTO webhook_inbox (event_id, shop_id, topic, resource_id, doubt, request, verdict,
                           charge_id, received_at, recorded_at)
VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
ON CONFLICT DO NOTHING
"""

CANCEL_ORDER = """
INSERT INTO cancelled_orders (shop_id, order_id, cancelled_at) VALUES (%s, %s, %s)
ON CONFLICT DO NOTHING
"""

REGISTER_PAYER = """
INSERT INTO payers AS p (shop_id, customer_id, email) VALUES (%s, %s, %s)
ON CONFLICT (shop_id, customer_id) DO UPDATE SET email = excluded.email WHERE p.erased_at IS NULL
"""

FORGET_PAYER = """
INSERT INTO payers (shop_id, customer_id, email, erased_at) VALUES (%s, %s, NULL, %s)
ON CONFLICT (shop_id, customer_id) DO UPDATE SET email = NULL, erased_at = excluded.erased_at
"""

PAYER_EMAIL = "SELECT email FROM payers WHERE shop_id = %s AND customer_id = %s"

TOTALS = """
SELECT (SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM (
            SELECT status, count(*) AS n FROM charges WHERE shop_id = %(shop_id)s GROUP BY status
        ) AS counted) AS by_status,
       (SELECT coalesce(sum(amount), 0) FROM ledger
        WHERE shop_id = %(shop_id)s AND kind = 'charged') AS paid,
       (SELECT count(*) FROM cases
        WHERE shop_id = %(shop_id)s AND closed_at IS NULL) AS open_cases
"""

OPEN_CASES = """
SELECT shop_id, kind, subject, order_id, detail, opened_at FROM cases
WHERE shop_id = %s AND closed_at IS NULL ORDER BY opened_at, case_id LIMIT %s
"""

NOTIFICATIONS = """
SELECT event_id, shop_id, topic, resource_id, doubt, request, verdict, charge_id, received_at
FROM webhook_inbox WHERE shop_id = %s AND resource_id = %s ORDER BY received_at, event_id LIMIT 200
"""
