"""Add options, combos, pictures, price history, shop rules and the stock ledger."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# The column is made from the others, so that code that does not know it keeps it true as well.
# `lower` leaves accented capitals alone under the C collation, so both cases are listed.
_PRODUCTS = """
ALTER TABLE products
    ADD COLUMN description    text NOT NULL DEFAULT '',
    ADD COLUMN position       integer NOT NULL DEFAULT 0 CHECK (position >= 0),
    ADD COLUMN is_stocked     boolean NOT NULL DEFAULT true,
    ADD COLUMN option_groups  jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN slots          jsonb NOT NULL DEFAULT '[]',
    ADD COLUMN picture        text NOT NULL DEFAULT '';
ALTER TABLE products ADD COLUMN search_text text GENERATED ALWAYS AS (
    translate(lower(name || ' ' || description),
              'ÁÀÂÃÄÇÉÈÊËÍÌÎÏÑÓÒÔÕÖÚÙÛÜáàâãäçéèêëíìîïñóòôõöúùûü',
              'aaaaaceeeeiiiinooooouuuuaaaaaceeeeiiiinooooouuuu')
) STORED;
CREATE TABLE prices (
    shop_id     text NOT NULL,
    product_id  text NOT NULL,
    version     integer NOT NULL,
    price       numeric(12, 2) NOT NULL CHECK (price > 0),
    author      text NOT NULL,
    since       timestamptz NOT NULL,
    PRIMARY KEY (shop_id, product_id, version)
);
INSERT INTO prices (shop_id, product_id, version, price, author, since)
SELECT shop_id, product_id, version, price, 'migration', changed_at FROM products;
CREATE TABLE pictures (
    shop_id     text NOT NULL,
    digest      text NOT NULL,
    media_type  text NOT NULL CHECK (media_type IN ('image/jpeg', 'image/png', 'image/webp')),
    content     bytea NOT NULL CHECK (octet_length(content) <= 524288),
    added_at    timestamptz NOT NULL,
    PRIMARY KEY (shop_id, digest)
);
CREATE TABLE shops (
    shop_id         text PRIMARY KEY,
    version         integer NOT NULL CHECK (version >= 1),
    hours           jsonb NOT NULL,
    switch          text NOT NULL CHECK (switch IN ('BY_HOURS', 'OPEN', 'CLOSED')),
    most_in_flight  integer CHECK (most_in_flight >= 1),
    day_begins_at   integer NOT NULL CHECK (day_begins_at BETWEEN 0 AND 23),
    changed_at      timestamptz NOT NULL
);
"""
_LEDGER = """
CREATE TABLE stock_ledger (
    shop_id     text NOT NULL,
    product_id  text NOT NULL,
    sequence    bigint GENERATED ALWAYS AS IDENTITY,
    kind        text NOT NULL
                CHECK (kind IN ('RECEIVED', 'CORRECTED', 'HELD', 'SOLD', 'RELEASED')),
    quantity    bigint NOT NULL CHECK (quantity > 0 OR (kind = 'CORRECTED' AND quantity <> 0)),
    key         text NOT NULL,
    author      text NOT NULL DEFAULT '',
    reason      text NOT NULL DEFAULT '',
    at          timestamptz NOT NULL,
    PRIMARY KEY (shop_id, product_id, sequence)
);
CREATE UNIQUE INDEX stock_ledger_goods ON stock_ledger (shop_id, key, product_id, kind)
    WHERE kind IN ('RECEIVED', 'CORRECTED');
"""
# What happened before the ledger began is known from the deliveries and reservations.
_HISTORY = """
INSERT INTO stock_ledger (shop_id, product_id, kind, quantity, key, at)
SELECT shop_id, product_id, 'RECEIVED', quantity, delivery_id, received_at FROM deliveries
ORDER BY received_at;
INSERT INTO stock_ledger (shop_id, product_id, kind, quantity, key, at)
SELECT l.shop_id, l.product_id, 'HELD', l.quantity, l.order_id, r.made_at
FROM reservation_lines l JOIN reservations r USING (shop_id, order_id) ORDER BY r.made_at;
INSERT INTO stock_ledger (shop_id, product_id, kind, quantity, key, at)
SELECT l.shop_id, l.product_id, r.status, l.quantity, l.order_id, r.changed_at
FROM reservation_lines l JOIN reservations r USING (shop_id, order_id)
WHERE r.status <> 'HELD' ORDER BY r.changed_at;
"""
_APPEND_ONLY = """
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the stock ledger is only ever added to' USING ERRCODE = 'restrict_violation';
END $$;
CREATE TRIGGER stock_ledger_is_append_only BEFORE UPDATE OR DELETE ON stock_ledger
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_rewriting();
"""


def upgrade() -> None:
    """Only add; code of the step before runs on."""
    bind = op.get_bind()
    for statements in (_PRODUCTS, _LEDGER, _HISTORY, _APPEND_ONLY):
        bind.exec_driver_sql(statements)


def downgrade() -> None:
    """Drop what was added."""
    op.get_bind().exec_driver_sql(
        "DROP TABLE stock_ledger, shops, pictures, prices;"
        "DROP FUNCTION refuse_rewriting;"
        "ALTER TABLE products DROP COLUMN search_text;"
        "ALTER TABLE products DROP COLUMN description, DROP COLUMN position,"
        " DROP COLUMN is_stocked, DROP COLUMN option_groups, DROP COLUMN slots,"
        " DROP COLUMN picture"
    )
