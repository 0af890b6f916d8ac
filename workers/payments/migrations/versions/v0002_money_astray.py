"""Add attempts, sweeps and repairs; widen the ledger and the cases; keep the provider's ids."""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# Old code runs on this: every new column has a default or may be empty.
_CHARGES = """
ALTER TABLE charges
    ADD COLUMN flavour text NOT NULL DEFAULT 'orders' CHECK (flavour IN ('orders', 'payments')),
    ADD COLUMN payment_id text;
"""
_LEDGER = """
ALTER TABLE ledger ADD COLUMN resource_id text NOT NULL DEFAULT '';
ALTER TABLE ledger DROP CONSTRAINT ledger_kind_check;
ALTER TABLE ledger ADD CONSTRAINT ledger_kind_check
    CHECK (kind IN ('charged', 'fee', 'refunded', 'disputed', 'regained'));
-- A second payment for one charge is a line of its own, under the provider's id of that payment.
DROP INDEX charged_once;
CREATE UNIQUE INDEX charged_once ON ledger (charge_id, resource_id) WHERE kind = 'charged';
CREATE INDEX ledger_by_charge ON ledger (charge_id);
"""
_CASES = """
ALTER TABLE cases
    ADD COLUMN closed_by text,
    ADD COLUMN resolution text,
    ADD CONSTRAINT closed_says_why CHECK (
        (closed_by IS NULL) = (resolution IS NULL)
        AND (closed_by IS NULL OR closed_at IS NOT NULL));
CREATE INDEX cases_by_subject ON cases (shop_id, subject);
"""
_ATTEMPTS = """
CREATE TABLE attempts (
    attempt_id          text PRIMARY KEY,
    shop_id             text NOT NULL,
    charge_id           text NOT NULL REFERENCES charges,
    order_id            text NOT NULL,
    kind                text NOT NULL CHECK (kind IN ('cancel', 'refund')),
    amount              numeric(12, 2) CHECK (amount > 0),
    reason              text NOT NULL CHECK (reason <> ''),
    requested_by        text NOT NULL CHECK (requested_by <> ''),
    resource_id         text NOT NULL DEFAULT '',
    is_whole            boolean NOT NULL DEFAULT false,
    flavour             text CHECK (flavour IN ('orders', 'payments')),
    status              text NOT NULL CHECK (status IN (
        'PLANNED', 'SENT', 'IN_PROCESS', 'DONE', 'FAILED')),
    request             bytea,
    sent_at             timestamptz,
    provider_refund_id  text,
    detail              text NOT NULL DEFAULT '',
    tries               integer NOT NULL DEFAULT 0 CHECK (tries >= 0),
    next_try_at         timestamptz,
    created_at          timestamptz NOT NULL,
    settled_at          timestamptz,
    CONSTRAINT refunds_have_amounts CHECK (kind <> 'refund' OR amount IS NOT NULL),
    -- Without its bytes an attempt could not be repeated, only done a second time.
    CONSTRAINT sent_keeps_its_bytes CHECK (status IN ('PLANNED', 'DONE', 'FAILED')
                                           OR request IS NOT NULL),
    CONSTRAINT open_is_due CHECK ((status IN ('DONE', 'FAILED')) = (settled_at IS NOT NULL)
                                  AND (settled_at IS NULL) = (next_try_at IS NOT NULL)),
    CONSTRAINT one_attempt_per_provider_refund UNIQUE (shop_id, provider_refund_id)
);
CREATE INDEX attempts_due ON attempts (next_try_at) WHERE next_try_at IS NOT NULL;
CREATE INDEX attempts_by_charge ON attempts (charge_id, created_at);
"""
_RECONCILIATION = """
CREATE TABLE sweeps (
    shop_id      text NOT NULL,
    name         text NOT NULL,
    next_at      timestamptz NOT NULL,
    swept_until  timestamptz,
    PRIMARY KEY (shop_id, name)
);
CREATE TABLE repairs (
    repair_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id    text NOT NULL,
    charge_id  text NOT NULL REFERENCES charges,
    before     text NOT NULL,
    after      text NOT NULL,
    source     text NOT NULL,
    at         timestamptz NOT NULL
);
CREATE INDEX repairs_by_time ON repairs (shop_id, at);
-- Neither costs anything on the path of an order that goes well.
CREATE INDEX charges_by_age ON charges USING brin (created_at);
CREATE INDEX charges_astray ON charges (shop_id, charge_id)
    WHERE status IN ('UNKNOWN', 'REVIEW', 'PAID_LATE', 'REFUNDING', 'DISPUTED');
CREATE INDEX webhook_inbox_by_age ON webhook_inbox (recorded_at);
"""


def upgrade() -> None:
    """Add what accounts for money that goes astray."""
    bind = op.get_bind()
    for statements in (_CHARGES, _LEDGER, _CASES, _ATTEMPTS, _RECONCILIATION):
        bind.exec_driver_sql(statements)


def downgrade() -> None:
    """Take it away; lines of the ledger that the old schema does not know are lost."""
    op.get_bind().exec_driver_sql(
        "DROP INDEX webhook_inbox_by_age, charges_by_age, charges_astray;"
        " DROP TABLE repairs, sweeps, attempts;"
        " ALTER TABLE cases DROP COLUMN closed_by, DROP COLUMN resolution;"
        " DROP INDEX cases_by_subject, ledger_by_charge, charged_once;"
        " ALTER TABLE ledger DISABLE TRIGGER ledger_is_append_only;"
        " DELETE FROM ledger WHERE kind <> 'charged' OR resource_id <> '';"
        " ALTER TABLE ledger ENABLE TRIGGER ledger_is_append_only, DROP COLUMN resource_id,"
        " DROP CONSTRAINT ledger_kind_check, ADD CONSTRAINT ledger_kind_check"
        " CHECK (kind IN ('charged'));"
        " CREATE UNIQUE INDEX charged_once ON ledger (charge_id) WHERE kind = 'charged';"
        " ALTER TABLE charges DROP COLUMN flavour, DROP COLUMN payment_id"
    )
