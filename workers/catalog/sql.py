"""The statements on stock; locks on it are always taken in the order of product ids.

Each change and its line in the ledger are one statement.
"""

from workers.catalog.sql_menu import PRODUCT_COLUMNS

LEVELS = """
SELECT product_id, received, held, sold FROM stock WHERE shop_id = %s
ORDER BY product_id COLLATE "C"
"""

AUDIT = """
WITH ledger AS (
    SELECT product_id, coalesce(sum(quantity) FILTER (WHERE kind = 'RECEIVED'), 0) AS received,
           coalesce(sum(quantity) FILTER (WHERE kind = 'CORRECTED'), 0) AS corrected,
           coalesce(sum(quantity) FILTER (WHERE kind = 'HELD'), 0) AS held,
           coalesce(sum(quantity) FILTER (WHERE kind = 'SOLD'), 0) AS sold,
           coalesce(sum(quantity) FILTER (WHERE kind = 'RELEASED'), 0) AS released
    FROM stock_ledger WHERE shop_id = %(shop_id)s GROUP BY product_id
), delivered AS (
    SELECT product_id, sum(quantity) AS quantity
    FROM deliveries WHERE shop_id = %(shop_id)s GROUP BY product_id
), reserved AS (
    SELECT l.product_id, sum(l.quantity) FILTER (WHERE r.status = 'HELD') AS held,
           sum(l.quantity) FILTER (WHERE r.status = 'SOLD') AS sold
    FROM reservation_lines l JOIN reservations r USING (shop_id, order_id)
    WHERE l.shop_id = %(shop_id)s GROUP BY l.product_id
)
SELECT s.product_id, s.received, s.held, s.sold,
       (coalesce(d.quantity, 0) + coalesce(g.corrected, 0))::bigint AS delivered,
       coalesce(r.held, 0)::bigint AS reserved, coalesce(r.sold, 0)::bigint AS bought,
       (coalesce(g.received, 0) + coalesce(g.corrected, 0))::bigint AS ledger_received,
       (coalesce(g.held, 0) - coalesce(g.sold, 0) - coalesce(g.released, 0))::bigint
           AS ledger_held,
       coalesce(g.sold, 0)::bigint AS ledger_sold
FROM stock s LEFT JOIN ledger g USING (product_id) LEFT JOIN delivered d USING (product_id)
     LEFT JOIN reserved r USING (product_id)
WHERE s.shop_id = %(shop_id)s ORDER BY s.product_id COLLATE "C"
"""

MOVES = """
SELECT product_id, kind, quantity, key, at, author, reason, sequence FROM stock_ledger
WHERE shop_id = %s AND product_id = %s AND sequence > %s ORDER BY sequence LIMIT %s
"""

NEW_STOCK = """
INSERT INTO stock (shop_id, product_id) VALUES (%(shop_id)s, %(product_id)s) ON CONFLICT DO NOTHING
"""

COUNT_DELIVERY = """
INSERT INTO deliveries (shop_id, delivery_id, product_id, quantity, received_at)
VALUES (%(shop_id)s, %(delivery_id)s, %(product_id)s, %(quantity)s, %(now)s)
ON CONFLICT DO NOTHING
"""

RECEIVE = """
WITH moved AS (
    UPDATE stock SET received = received + %(quantity)s
    WHERE shop_id = %(shop_id)s AND product_id = %(product_id)s RETURNING shop_id, product_id
)
INSERT INTO stock_ledger (shop_id, product_id, kind, quantity, key, author, at)
SELECT shop_id, product_id, 'RECEIVED', %(quantity)s, %(delivery_id)s, %(author)s, %(now)s
FROM moved
"""

COUNTED = """
SELECT quantity FROM stock_ledger WHERE shop_id = %s AND key = %s AND product_id = %s
AND kind = %s AND kind IN ('RECEIVED', 'CORRECTED')
"""

CORRECT = """
WITH moved AS (
    UPDATE stock SET received = received + %(change)s
    WHERE shop_id = %(shop_id)s AND product_id = %(product_id)s
      AND received + %(change)s >= held + sold RETURNING shop_id, product_id
)
INSERT INTO stock_ledger (shop_id, product_id, kind, quantity, key, author, reason, at)
SELECT shop_id, product_id, 'CORRECTED', %(change)s, %(id)s, %(author)s, %(reason)s, %(now)s
FROM moved
"""

OFFERS = f"""
SELECT {PRODUCT_COLUMNS}, s.received, s.held, s.sold
FROM stock s JOIN products p USING (shop_id, product_id)
WHERE s.shop_id = %s AND s.product_id = ANY(%s)
ORDER BY s.product_id COLLATE "C" FOR UPDATE OF s
"""  # noqa: S608  # Only the constant above is put in.

LOCK_STOCK = """
SELECT 1 FROM stock WHERE shop_id = %s AND product_id = ANY(%s)
ORDER BY product_id COLLATE "C" FOR UPDATE
"""


def _move(kind: str, change: str, *, condition: str) -> str:
    """Make the one statement that moves stock for all lines when each fits, or for none."""
    return f"""
    WITH wanted AS (
        SELECT * FROM unnest(%(product_ids)s::text[], %(quantities)s::bigint[])
                   AS line (product_id, quantity)
    ), moved AS (
        UPDATE stock s SET {change} FROM wanted w
        WHERE s.shop_id = %(shop_id)s AND s.product_id = w.product_id AND NOT EXISTS (
            SELECT 1 FROM wanted x
            LEFT JOIN stock y ON y.shop_id = %(shop_id)s AND y.product_id = x.product_id
            WHERE y.product_id IS NULL OR NOT ({condition})
        ) RETURNING s.product_id, w.quantity
    )
    INSERT INTO stock_ledger (shop_id, product_id, kind, quantity, key, at)
    SELECT %(shop_id)s, product_id, '{kind}', quantity, %(order_id)s, %(now)s FROM moved
    """  # noqa: S608  # Only the constants below are put in.


HOLD = _move(
    "HELD", "held = s.held + w.quantity", condition="y.received - y.held - y.sold >= x.quantity"
)
SELL = _move(
    "SOLD",
    "held = s.held - w.quantity, sold = s.sold + w.quantity",
    condition="y.held >= x.quantity",
)
RELEASE = _move("RELEASED", "held = s.held - w.quantity", condition="y.held >= x.quantity")

CLAIM = """
INSERT INTO reservations (reservation_id, shop_id, order_id, status, reason, made_at, changed_at)
VALUES (%(id)s, %(shop_id)s, %(order_id)s, %(status)s, %(reason)s, %(now)s, %(now)s)
ON CONFLICT (shop_id, order_id) DO NOTHING
"""

RESERVATION = """
SELECT r.reservation_id, r.shop_id, r.order_id, r.status, r.reason,
       ARRAY(SELECT l.product_id FROM reservation_lines l
             WHERE l.shop_id = r.shop_id AND l.order_id = r.order_id
             ORDER BY l.product_id COLLATE "C") AS product_ids,
       ARRAY(SELECT l.quantity FROM reservation_lines l
             WHERE l.shop_id = r.shop_id AND l.order_id = r.order_id
             ORDER BY l.product_id COLLATE "C") AS quantities
FROM reservations r WHERE r.shop_id = %s AND r.order_id = %s FOR UPDATE OF r
"""

RESERVATIONS = """
SELECT r.reservation_id, r.shop_id, r.order_id, r.status, r.reason,
       coalesce(array_agg(l.product_id) FILTER (WHERE l.product_id IS NOT NULL), '{}')
           AS product_ids,
       coalesce(array_agg(l.quantity) FILTER (WHERE l.product_id IS NOT NULL), '{}') AS quantities
FROM (SELECT * FROM reservations WHERE shop_id = %s AND order_id > %s
      ORDER BY order_id LIMIT %s) r
     LEFT JOIN reservation_lines l USING (shop_id, order_id)
GROUP BY r.reservation_id, r.shop_id, r.order_id, r.status, r.reason ORDER BY r.order_id
"""

SAVE_RESERVATION = """
UPDATE reservations SET status = %(status)s, reason = %(reason)s, changed_at = %(now)s
WHERE shop_id = %(shop_id)s AND order_id = %(order_id)s
"""

SAVE_LINES = """
INSERT INTO reservation_lines (shop_id, order_id, product_id, quantity)
SELECT %(shop_id)s, %(order_id)s, line.product_id, line.quantity
FROM unnest(%(product_ids)s::text[], %(quantities)s::bigint[]) AS line (product_id, quantity)
"""

RECORD_REFUSAL = """
INSERT INTO refused_transitions (event_id, event_type, shop_id, order_id, current, asked, at)
VALUES (%s, %s, %s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""

REFUSALS = """
SELECT event_id, event_type, shop_id, order_id, current, asked, at FROM refused_transitions
WHERE shop_id = %s ORDER BY at DESC, event_id DESC LIMIT %s
"""
