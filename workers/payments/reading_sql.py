"""The statements behind what payments shows; none of them locks anything."""

from workers.payments.sql import COLUMNS

TOTALS = """
SELECT (SELECT coalesce(jsonb_object_agg(status, n), '{}') FROM (
            SELECT status, count(*) AS n FROM charges WHERE shop_id = %(shop_id)s GROUP BY status
        ) AS counted) AS by_status,
       (SELECT coalesce(sum(amount), 0) FROM ledger
        WHERE shop_id = %(shop_id)s AND kind = 'charged') AS paid,
       (SELECT coalesce(sum(amount), 0) FROM ledger
        WHERE shop_id = %(shop_id)s AND kind = 'refunded') AS refunded,
       (SELECT coalesce(sum(amount) FILTER (WHERE kind = 'disputed'), 0)
             - coalesce(sum(amount) FILTER (WHERE kind = 'regained'), 0) FROM ledger
        WHERE shop_id = %(shop_id)s AND kind IN ('disputed', 'regained')) AS disputed,
       (SELECT coalesce(sum(amount), 0) FROM charges
        WHERE shop_id = %(shop_id)s AND status = 'WAITING') AS pending,
       (SELECT count(*) FROM cases
        WHERE shop_id = %(shop_id)s AND closed_at IS NULL) AS open_cases
"""

OPEN_CASES = """
SELECT case_id AS id, shop_id, kind, subject, order_id, detail, opened_at FROM cases
WHERE shop_id = %s AND closed_at IS NULL ORDER BY opened_at, case_id LIMIT %s
"""

NOTIFICATIONS = """
SELECT event_id, shop_id, topic, resource_id, doubt, request, verdict, charge_id, received_at
FROM webhook_inbox WHERE shop_id = %s AND resource_id = %s ORDER BY received_at, event_id LIMIT 200
"""

LEDGER = """
SELECT kind, amount, at, resource_id, source FROM ledger
WHERE shop_id = %s AND charge_id = %s ORDER BY entry_id
"""

RECONCILIATION = """
SELECT count(*) FILTER (WHERE status NOT IN ('CREATING', 'UNKNOWN', 'WAITING', 'REVIEW')
                          AND NOT EXISTS (SELECT 1 FROM repairs r
                                          WHERE r.charge_id = charges.charge_id)) AS matched,
       count(*) FILTER (WHERE status IN ('CREATING', 'UNKNOWN', 'WAITING')) AS waiting
FROM charges WHERE shop_id = %(shop_id)s AND created_at >= %(since)s
"""

REFUNDING = """
SELECT count(*) AS refunding FROM attempts
WHERE shop_id = %s AND kind = 'refund' AND next_try_at IS NOT NULL
"""

REPAIRS = """
SELECT charge_id, before, after, source, at FROM repairs
WHERE shop_id = %s AND at >= %s ORDER BY at DESC, repair_id DESC LIMIT 200
"""

COUNT_CASES = "SELECT count(*) AS open FROM cases WHERE shop_id = %s AND closed_at IS NULL"

SWEPT = "SELECT name, swept_until FROM sweeps WHERE shop_id = %s AND swept_until IS NOT NULL"

_OPEN_WORK = """
       (SELECT count(*) FROM cases k
        WHERE k.shop_id = c.shop_id AND k.order_id = c.order_id AND k.closed_at IS NULL
       ) AS open_cases,
       (SELECT count(*) FROM attempts a
        WHERE a.charge_id = c.charge_id AND a.next_try_at IS NOT NULL) AS open_attempts
"""

AUDIT = f"""
SELECT {COLUMNS}, {_OPEN_WORK}
FROM charges c WHERE c.shop_id = %s AND c.charge_id > %s ORDER BY c.charge_id LIMIT %s
"""  # noqa: S608  # Only a constant is put in.

# An order's id begins with its instant, so the unique index of orders gives a window of them.
CHARGES_OF_ORDERS = f"""
SELECT {COLUMNS}, {_OPEN_WORK}
FROM charges c
WHERE c.shop_id = %(shop_id)s AND c.order_id >= %(first)s AND c.order_id < %(last)s
  AND c.order_id > %(after)s
ORDER BY c.order_id LIMIT %(limit)s
"""  # noqa: S608  # Only constants are put in.

MOVEMENTS = """
SELECT (SELECT coalesce(jsonb_object_agg(kind, total), '{}') FROM (
            SELECT kind, sum(amount)::text AS total FROM ledger
            WHERE shop_id = %(shop_id)s AND at >= %(since)s AND at < %(until)s GROUP BY kind
        ) AS added) AS sums,
       (SELECT count(*) FROM cases
        WHERE shop_id = %(shop_id)s AND opened_at >= %(since)s AND opened_at < %(until)s
       ) AS cases_opened,
       (SELECT count(*) FROM cases
        WHERE shop_id = %(shop_id)s AND closed_at IS NULL) AS open_cases
"""

CASE_MARKS = """
SELECT case_id AS id, kind, subject, order_id, closed_at IS NULL AS is_open,
       closed_at IS NOT NULL AND closed_by IS DISTINCT FROM 'comanda' AS is_resolved
FROM cases
WHERE shop_id = %s AND case_id > %s ORDER BY case_id LIMIT %s
"""

CASES_BY_KIND = """
SELECT kind, count(*) AS n FROM cases WHERE shop_id = %s AND closed_at IS NULL GROUP BY kind
"""

EXPOSURE = """
SELECT (SELECT count(*) FROM charges c
        WHERE c.shop_id = %(shop_id)s
          AND c.status IN ('REVIEW', 'PAID_LATE', 'REFUNDING', 'DISPUTED')
          -- What a person closed is accounted for; what closed by itself was about something else.
          AND NOT EXISTS (SELECT 1 FROM cases k
                          WHERE k.shop_id = c.shop_id AND k.subject = c.charge_id
                            AND (k.closed_at IS NULL
                                 OR k.closed_by IS DISTINCT FROM 'comanda'))) AS unaccounted,
       (SELECT count(*) FROM attempts
        WHERE shop_id = %(shop_id)s AND next_try_at IS NOT NULL) AS open_attempts,
       (SELECT min(created_at) FROM attempts
        WHERE shop_id = %(shop_id)s AND next_try_at IS NOT NULL) AS oldest_attempt,
       (SELECT min(created_at) FROM charges
        WHERE shop_id = %(shop_id)s AND next_check_at IS NOT NULL
          AND status IN ('CREATING', 'UNKNOWN')) AS oldest_unsettled,
       (SELECT count(*) FROM charges
        WHERE shop_id = %(shop_id)s AND next_check_at < %(overdue)s) AS overdue_checks,
       (SELECT count(*) FROM repairs
        WHERE shop_id = %(shop_id)s AND at >= %(yesterday)s) AS repairs,
       (SELECT count(*) FROM refused_transitions
        WHERE shop_id = %(shop_id)s AND at >= %(yesterday)s) AS refusals
"""
