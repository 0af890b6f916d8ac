"""The statements of the catalog; locks on stock are always taken in the order of product ids."""

_PRODUCT_COLUMNS = (
    "p.shop_id, p.product_id, p.version, p.name, p.category, p.price, p.is_available, p.is_removed"
)

MENU = f"""
SELECT {_PRODUCT_COLUMNS} FROM products p
WHERE p.shop_id = %s AND NOT p.is_removed
ORDER BY array_position(ARRAY['MEAL', 'SIDE', 'DRINK', 'DESSERT'], p.category), p.name, p.product_id
"""  # noqa: S608  # Only the constant above is put in.

PRODUCT = f"""
SELECT {_PRODUCT_COLUMNS} FROM products p WHERE p.shop_id = %s AND p.product_id = %s FOR UPDATE
"""  # noqa: S608  # Only the constant above is put in.

SAVE_PRODUCT = """
INSERT INTO products (shop_id, product_id, version, name, category, price, is_available,
                      is_removed, changed_at)
VALUES (%(shop_id)s, %(product_id)s, %(version)s, %(name)s, %(category)s, %(price)s,
        %(is_available)s, %(is_removed)s, %(now)s)
ON CONFLICT (shop_id, product_id) DO UPDATE SET
    version = excluded.version, name = excluded.name, category = excluded.category,
    price = excluded.price, is_available = excluded.is_available,
    is_removed = excluded.is_removed, changed_at = excluded.changed_at
"""

LEVELS = """
SELECT product_id, received, held, sold FROM stock WHERE shop_id = %s
ORDER BY product_id COLLATE "C"
"""

AUDIT = """
SELECT s.product_id, s.received, s.held, s.sold,
       coalesce((SELECT sum(d.quantity) FROM deliveries d
                 WHERE (d.shop_id, d.product_id) = (s.shop_id, s.product_id)), 0)::bigint
           AS delivered,
       coalesce(sum(l.quantity) FILTER (WHERE r.status = 'HELD'), 0)::bigint AS reserved,
       coalesce(sum(l.quantity) FILTER (WHERE r.status = 'SOLD'), 0)::bigint AS bought
FROM stock s
LEFT JOIN reservation_lines l ON (l.shop_id, l.product_id) = (s.shop_id, s.product_id)
LEFT JOIN reservations r ON (r.shop_id, r.order_id) = (l.shop_id, l.order_id)
WHERE s.shop_id = %s GROUP BY s.shop_id, s.product_id, s.received, s.held, s.sold
ORDER BY s.product_id COLLATE "C"
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
UPDATE stock SET received = received + %(quantity)s
WHERE shop_id = %(shop_id)s AND product_id = %(product_id)s
"""

OFFERS = f"""
SELECT {_PRODUCT_COLUMNS}, s.received, s.held, s.sold
FROM stock s JOIN products p USING (shop_id, product_id)
WHERE s.shop_id = %s AND s.product_id = ANY(%s)
ORDER BY s.product_id COLLATE "C" FOR UPDATE OF s
"""  # noqa: S608  # Only the constant above is put in.

LOCK_STOCK = """
SELECT 1 FROM stock WHERE shop_id = %s AND product_id = ANY(%s)
ORDER BY product_id COLLATE "C" FOR UPDATE
"""


def _move(change: str, *, condition: str) -> str:
    """Make the one statement that moves stock for all lines when each fits, or for none."""
    return f"""
    WITH wanted AS (
        SELECT * FROM unnest(%(product_ids)s::text[], %(quantities)s::bigint[])
                   AS line (product_id, quantity)
    )
    UPDATE stock s SET {change} FROM wanted w
    WHERE s.shop_id = %(shop_id)s AND s.product_id = w.product_id AND NOT EXISTS (
        SELECT 1 FROM wanted x
        LEFT JOIN stock y ON y.shop_id = %(shop_id)s AND y.product_id = x.product_id
        WHERE y.product_id IS NULL OR NOT ({condition})
    )
    """  # noqa: S608  # Only the constants below are put in.


HOLD = _move("held = s.held + w.quantity", condition="y.received - y.held - y.sold >= x.quantity")
SELL = _move(
    "held = s.held - w.quantity, sold = s.sold + w.quantity", condition="y.held >= x.quantity"
)
RELEASE = _move("held = s.held - w.quantity", condition="y.held >= x.quantity")

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
