"""Create inbox, outbox, charges, ledger, cases, refused transitions, webhook inbox and payers."""

from alembic import op

from workers.runtime.postgres import INBOX_OUTBOX_DDL

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# The checks are the last line of defence: code that forgets a rule fails, the books stay right.
_CHARGES = """
CREATE TABLE charges (
    charge_id            text PRIMARY KEY,
    shop_id              text NOT NULL,
    order_id             text NOT NULL,
    status               text NOT NULL CHECK (status IN (
        'CREATING', 'WAITING', 'PAID', 'REFUSED', 'UNKNOWN', 'EXPIRED', 'CANCELLED', 'REJECTED',
        'REVIEW', 'PAID_LATE', 'REFUNDING', 'PARTIALLY_REFUNDED', 'REFUNDED', 'DISPUTED',
        'CHARGED_BACK')),
    amount               numeric(12, 2) NOT NULL CHECK (amount > 0),
    receiver             text NOT NULL CHECK (receiver <> ''),
    request              bytea,
    provider_id          text,
    pix_code             text,
    expires_at           timestamptz,
    provider_updated_at  timestamptz,
    fetch_began_at       timestamptz,
    paid_at              timestamptz,
    order_cancelled_at   timestamptz,
    checks               integer NOT NULL DEFAULT 0 CHECK (checks >= 0),
    next_check_at        timestamptz,
    created_at           timestamptz NOT NULL,
    changed_at           timestamptz NOT NULL,
    CONSTRAINT one_charge_per_order UNIQUE (shop_id, order_id),
    CONSTRAINT one_charge_per_provider_order UNIQUE (shop_id, provider_id),
    -- Without its bytes a charge could not be sent again, and would be lost.
    CONSTRAINT creating_keeps_its_bytes CHECK (status <> 'CREATING' OR request IS NOT NULL),
    CONSTRAINT waiting_has_a_code CHECK (
        status <> 'WAITING' OR (provider_id IS NOT NULL AND pix_code IS NOT NULL)),
    CONSTRAINT paid_since CHECK (status NOT IN ('PAID', 'PAID_LATE') OR paid_at IS NOT NULL)
) WITH (fillfactor = 70);
CREATE INDEX charges_due ON charges (next_check_at) WHERE next_check_at IS NOT NULL;
"""
_LEDGER = """
CREATE TABLE ledger (
    entry_id   bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id    text NOT NULL,
    charge_id  text NOT NULL REFERENCES charges,
    kind       text NOT NULL CHECK (kind IN ('charged')),
    amount     numeric(12, 2) NOT NULL CHECK (amount > 0),
    source     text NOT NULL,
    at         timestamptz NOT NULL
);
-- A Pix charge is paid once; a second payment would be a second provider order, which is a case.
CREATE UNIQUE INDEX charged_once ON ledger (charge_id) WHERE kind = 'charged';
CREATE INDEX ledger_by_shop ON ledger (shop_id, at);
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is only ever added to';
END $$;
CREATE TRIGGER ledger_is_append_only BEFORE UPDATE OR DELETE ON ledger
    FOR EACH ROW EXECUTE FUNCTION refuse_change();
"""
_CASES = """
CREATE TABLE cases (
    case_id    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id    text NOT NULL,
    kind       text NOT NULL,
    subject    text NOT NULL,
    order_id   text,
    detail     text NOT NULL,
    opened_at  timestamptz NOT NULL,
    closed_at  timestamptz CHECK (closed_at >= opened_at)
);
CREATE UNIQUE INDEX one_open_case ON cases (shop_id, kind, subject) WHERE closed_at IS NULL;
CREATE TABLE refused_transitions (
    refusal_id  bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    shop_id     text NOT NULL,
    charge_id   text NOT NULL REFERENCES charges,
    current     text NOT NULL,
    asked       text NOT NULL,
    source      text NOT NULL,
    at          timestamptz NOT NULL
);
"""
_WEBHOOK_INBOX = """
CREATE TABLE webhook_inbox (
    event_id     text PRIMARY KEY,
    shop_id      text NOT NULL,
    topic        text NOT NULL,
    resource_id  text NOT NULL,
    doubt        text,
    request      jsonb NOT NULL,
    verdict      text NOT NULL,
    charge_id    text REFERENCES charges,
    received_at  timestamptz NOT NULL,
    recorded_at  timestamptz NOT NULL
);
CREATE INDEX webhook_inbox_by_resource ON webhook_inbox (shop_id, resource_id, received_at);
"""
_PEOPLE = """
CREATE TABLE payers (
    shop_id      text NOT NULL,
    customer_id  text NOT NULL,
    email        text,
    erased_at    timestamptz,
    PRIMARY KEY (shop_id, customer_id),
    CONSTRAINT erased_is_forgotten CHECK (erased_at IS NULL OR email IS NULL)
);
CREATE TABLE cancelled_orders (
    shop_id       text NOT NULL,
    order_id      text NOT NULL,
    cancelled_at  timestamptz NOT NULL,
    PRIMARY KEY (shop_id, order_id)
);
"""


def upgrade() -> None:
    """Create everything that payments begins with."""
    bind = op.get_bind()
    for statements in (INBOX_OUTBOX_DDL, _CHARGES, _LEDGER, _CASES, _WEBHOOK_INBOX, _PEOPLE):
        bind.exec_driver_sql(statements)


def downgrade() -> None:
    """Drop everything, children first."""
    op.get_bind().exec_driver_sql(
        "DROP TABLE cancelled_orders, payers, webhook_inbox, refused_transitions, cases, ledger,"
        " charges, outbox, inbox; DROP FUNCTION refuse_change"
    )
