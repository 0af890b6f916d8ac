"""Create inbox, outbox, products, stock, deliveries, reservations and refused transitions."""

from alembic import op

from workers.runtime.postgres import INBOX_OUTBOX_DDL

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The checks are the last line of defence: code that forgets a rule fails, the books stay right.
_PRODUCTS = """
CREATE TABLE products (
    shop_id       text NOT NULL,
    product_id    text NOT NULL,
    version       integer NOT NULL CHECK (version >= 1),
    name          text NOT NULL CHECK (name <> ''),
    category      text NOT NULL CHECK (category IN ('MEAL', 'SIDE', 'DRINK', 'DESSERT')),
    price         numeric(12, 2) NOT NULL CHECK (price > 0),
    is_available  boolean NOT NULL,
    is_removed    boolean NOT NULL DEFAULT false,
    changed_at    timestamptz NOT NULL,
    PRIMARY KEY (shop_id, product_id)
);
"""
_STOCK = """
CREATE TABLE stock (
    shop_id     text NOT NULL,
    product_id  text NOT NULL,
    received    bigint NOT NULL DEFAULT 0,
    held        bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    sold        bigint NOT NULL DEFAULT 0 CHECK (sold >= 0),
    PRIMARY KEY (shop_id, product_id),
    FOREIGN KEY (shop_id, product_id) REFERENCES products,
    CONSTRAINT stock_is_not_oversold CHECK (received >= held + sold)
) WITH (fillfactor = 50);
CREATE TABLE deliveries (
    shop_id      text NOT NULL,
    delivery_id  text NOT NULL,
    product_id   text NOT NULL,
    quantity     bigint NOT NULL CHECK (quantity > 0),
    received_at  timestamptz NOT NULL,
    PRIMARY KEY (shop_id, delivery_id, product_id),
    FOREIGN KEY (shop_id, product_id) REFERENCES stock
);
"""
_RESERVATIONS = """
CREATE TABLE reservations (
    shop_id         text NOT NULL,
    order_id        text NOT NULL,
    reservation_id  text NOT NULL UNIQUE,
    status          text NOT NULL CHECK (status IN ('HELD', 'SOLD', 'RELEASED')),
    reason          text,
    made_at         timestamptz NOT NULL,
    changed_at      timestamptz NOT NULL,
    PRIMARY KEY (shop_id, order_id)
);
CREATE TABLE reservation_lines (
    shop_id     text NOT NULL,
    order_id    text NOT NULL,
    product_id  text NOT NULL,
    quantity    bigint NOT NULL CHECK (quantity > 0),
    PRIMARY KEY (shop_id, order_id, product_id),
    FOREIGN KEY (shop_id, order_id) REFERENCES reservations
);
CREATE TABLE refused_transitions (
    event_id    text PRIMARY KEY,
    event_type  text NOT NULL,
    shop_id     text NOT NULL,
    order_id    text NOT NULL,
    current     text,
    asked       text NOT NULL,
    at          timestamptz NOT NULL
);
CREATE INDEX refused_transitions_by_time ON refused_transitions (shop_id, at DESC);
"""


def upgrade() -> None:
    """Create everything that the catalog begins with."""
    bind = op.get_bind()
    for statements in (INBOX_OUTBOX_DDL, _PRODUCTS, _STOCK, _RESERVATIONS):
        bind.exec_driver_sql(statements)


def downgrade() -> None:
    """Drop everything, children first."""
    op.get_bind().exec_driver_sql(
        "DROP TABLE refused_transitions, reservation_lines, reservations, deliveries, stock,"
        " products, outbox, inbox"
    )
