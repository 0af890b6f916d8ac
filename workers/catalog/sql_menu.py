"""The statements on products, prices, pictures and shops."""

PRODUCT_COLUMNS = (
    "p.shop_id, p.product_id, p.version, p.name, p.category, p.price, p.is_available, p.is_removed,"
    " p.description, p.position, p.is_stocked, p.option_groups, p.slots, p.picture"
)
_IN_ORDER = """
ORDER BY array_position(ARRAY['MEAL', 'SIDE', 'DRINK', 'DESSERT'], p.category), p.position,
         p.name COLLATE "C", p.product_id COLLATE "C"
"""

MENU = f"""
SELECT {PRODUCT_COLUMNS} FROM products p WHERE p.shop_id = %s AND NOT p.is_removed {_IN_ORDER}
"""  # noqa: S608  # Only the constants above are put in, here and below.

ALL_PRODUCTS = f"""
SELECT {PRODUCT_COLUMNS} FROM products p WHERE p.shop_id = %s {_IN_ORDER}
"""  # noqa: S608 - Made of our own constants alone.

SEARCH = f"""
SELECT {PRODUCT_COLUMNS} FROM products p
WHERE p.shop_id = %(shop_id)s AND NOT p.is_removed
  AND (%(category)s::text IS NULL OR p.category = %(category)s)
  AND p.search_text LIKE ALL (%(patterns)s::text[]) {_IN_ORDER}
"""  # noqa: S608 - Made of our own constants alone.

FIND_PRODUCT = f"""
SELECT {PRODUCT_COLUMNS} FROM products p WHERE p.shop_id = %s AND p.product_id = %s
"""  # noqa: S608 - Made of our own constants alone.

# A reservation's foreign keys must not wait for an edit, so the lock is the weaker one.
PRODUCT = FIND_PRODUCT + "FOR NO KEY UPDATE"

LOCK_MENU = "SELECT pg_advisory_xact_lock(hashtextextended(%s, 1))"

SAVE_PRODUCT = """
INSERT INTO products (shop_id, product_id, version, name, category, price, is_available,
                      is_removed, description, position, is_stocked, option_groups, slots, picture,
                      changed_at)
VALUES (%(shop_id)s, %(product_id)s, %(version)s, %(name)s, %(category)s, %(price)s,
        %(is_available)s, %(is_removed)s, %(description)s, %(position)s, %(is_stocked)s,
        %(option_groups)s, %(slots)s, %(picture)s, %(now)s)
ON CONFLICT (shop_id, product_id) DO UPDATE SET
    version = excluded.version, name = excluded.name, category = excluded.category,
    price = excluded.price, is_available = excluded.is_available,
    is_removed = excluded.is_removed, description = excluded.description,
    position = excluded.position, is_stocked = excluded.is_stocked,
    option_groups = excluded.option_groups, slots = excluded.slots, picture = excluded.picture,
    changed_at = excluded.changed_at
"""

RECORD_PRICE = """
INSERT INTO prices (shop_id, product_id, version, price, author, since)
VALUES (%(shop_id)s, %(product_id)s, %(version)s, %(price)s, %(author)s, %(now)s)
"""

PRICES = """
SELECT version, price, author, since FROM prices WHERE shop_id = %s AND product_id = %s
ORDER BY version DESC LIMIT 200
"""

SAVE_PICTURE = """
INSERT INTO pictures (shop_id, digest, media_type, content, added_at)
VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""

DROP_PICTURE = """
DELETE FROM pictures f WHERE f.shop_id = %(shop_id)s AND f.digest = %(digest)s AND NOT EXISTS (
    SELECT 1 FROM products p WHERE p.shop_id = f.shop_id AND p.picture = f.digest
)
"""

PICTURE = """
SELECT shop_id, digest, media_type, content FROM pictures WHERE shop_id = %s AND digest = %s
"""

RULES = """
SELECT shop_id, version, hours, switch, most_in_flight, day_begins_at FROM shops WHERE shop_id = %s
"""

SAVE_RULES = """
INSERT INTO shops (shop_id, version, hours, switch, most_in_flight, day_begins_at, changed_at)
VALUES (%(shop_id)s, %(version)s, %(hours)s, %(switch)s, %(most_in_flight)s, %(day_begins_at)s,
        %(now)s)
ON CONFLICT (shop_id) DO UPDATE SET
    version = excluded.version, hours = excluded.hours, switch = excluded.switch,
    most_in_flight = excluded.most_in_flight, day_begins_at = excluded.day_begins_at,
    changed_at = excluded.changed_at
"""
