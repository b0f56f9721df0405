-- Amounts are minor units of the row's currency. Ids are UUIDv7 made by the service, so that their order is the order
-- of creation. Hours are counted from the epoch; seeds and levels of hours that are not over are secret.

CREATE TABLE public.account_copies (
    account_id uuid NOT NULL,
    user_id uuid NOT NULL,
    account_type text NOT NULL,
    currency text NOT NULL,
    markup_percentage numeric(5, 2),
    version bigint NOT NULL,
    PRIMARY KEY (account_id)
);

CREATE TABLE public.idempotency (
    user_id uuid NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    request_hash text NOT NULL,
    subject_id uuid NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    PRIMARY KEY (user_id, route, key)
);

CREATE TABLE public.market_hours (
    hour bigint NOT NULL,
    seed bytea NOT NULL,
    commitment bytea NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (hour),
    CONSTRAINT market_hours_commitment CHECK (commitment = sha256(seed))
);

CREATE TABLE public.market_levels (
    hour bigint NOT NULL,
    symbol text NOT NULL,
    opening numeric NOT NULL,
    closing numeric NOT NULL,
    PRIMARY KEY (hour, symbol),
    CONSTRAINT market_levels_positive CHECK (opening > 0 AND closing > 0)
);

CREATE TABLE public.outbox (
    id uuid NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    payload text NOT NULL,
    has_secret boolean DEFAULT false NOT NULL,
    mandatory boolean DEFAULT true NOT NULL,
    created_at timestamptz DEFAULT now() NOT NULL,
    attempts integer DEFAULT 0 NOT NULL,
    next_attempt_at timestamptz DEFAULT now() NOT NULL,
    sent_at timestamptz,
    PRIMARY KEY (id)
);

CREATE INDEX outbox_unsent ON public.outbox (seq) WHERE sent_at IS NULL;

CREATE TABLE public.trades (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    account_id uuid NOT NULL,
    account_type text NOT NULL,
    currency text NOT NULL,
    symbol text NOT NULL,
    contract_type text NOT NULL,
    direction text NOT NULL,
    stake bigint NOT NULL,
    markup_applied bigint NOT NULL,
    held bigint NOT NULL,
    potential_payout bigint NOT NULL,
    payout bigint,
    profit bigint,
    commission_applied bigint DEFAULT 0 NOT NULL,
    markup_percent numeric(5, 2) NOT NULL,
    markup_source text NOT NULL,
    rule_id uuid,
    rule_version integer,
    affiliate_id uuid,
    code_id uuid,
    proposal_id text,
    transaction_id text,
    contract_id text,
    duration_seconds integer NOT NULL,
    duration integer NOT NULL,
    duration_unit text NOT NULL,
    entry_spot numeric,
    exit_spot numeric,
    opened_at timestamptz,
    starts_at timestamptz,
    expires_at timestamptz,
    closed_at timestamptz,
    status text NOT NULL,
    reason text,
    rejection jsonb,
    opening_deadline timestamptz NOT NULL,
    claimed_at timestamptz,
    correlation_id text NOT NULL,
    opened_event_id uuid,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (id),
    CONSTRAINT trades_status CHECK (status IN ('PENDING', 'OPEN', 'CLOSED', 'WON', 'LOST', 'CANCELLED', 'REJECTED')),
    CONSTRAINT trades_account_type CHECK (account_type IN ('DEMO', 'REAL')),
    CONSTRAINT trades_contract_type CHECK ((contract_type, direction) IN (('CALL', 'RISE'), ('PUT', 'FALL'))),
    CONSTRAINT trades_amounts CHECK (
        stake > 0
        AND markup_applied >= 0
        AND held >= stake + markup_applied
        AND potential_payout > stake
        AND commission_applied >= 0
    ),
    CONSTRAINT trades_rate CHECK (
        markup_percent BETWEEN 0 AND 5
        AND markup_source IN ('account', 'code', 'rule', 'affiliate', 'platform')
    ),
    CONSTRAINT trades_duration CHECK (
        duration_seconds BETWEEN 1 AND 31536000
        AND duration > 0
        AND duration_unit IN ('t', 's', 'm', 'h', 'd')
    ),
    CONSTRAINT trades_rejection CHECK ((status = 'REJECTED') = (rejection IS NOT NULL)),
    CONSTRAINT trades_bought CHECK (
        num_nonnulls(contract_id, transaction_id, opened_at, starts_at, expires_at, opened_event_id)
        = CASE WHEN status IN ('PENDING', 'REJECTED') THEN 0 ELSE 6 END
    ),
    CONSTRAINT trades_closed_at CHECK ((closed_at IS NOT NULL) = (status IN ('WON', 'LOST', 'CLOSED', 'CANCELLED'))),
    CONSTRAINT trades_result CHECK (
        CASE
            WHEN status IN ('WON', 'LOST', 'CLOSED') THEN
                num_nonnulls(payout, profit, reason) = 3
                AND profit = payout - stake - markup_applied
                AND reason IN ('expired', 'sold', 'staff')
                AND CASE status
                    WHEN 'WON' THEN payout = potential_payout
                    WHEN 'LOST' THEN payout = 0
                    ELSE payout >= 0 AND (reason = 'sold' OR payout NOT IN (0, potential_payout))
                END
            WHEN status = 'CANCELLED' THEN true
            ELSE num_nonnulls(payout, profit, reason) = 0
        END
    )
);

CREATE UNIQUE INDEX trades_contract_id ON public.trades (contract_id) WHERE contract_id IS NOT NULL;
CREATE INDEX trades_due ON public.trades (expires_at) WHERE status = 'OPEN';
CREATE INDEX trades_of_account ON public.trades (account_id, id);
CREATE INDEX trades_of_user ON public.trades (user_id, id);
CREATE INDEX trades_pending ON public.trades (opening_deadline) WHERE status = 'PENDING';
CREATE INDEX trades_proposal_id ON public.trades (proposal_id) WHERE proposal_id IS NOT NULL;
CREATE INDEX trades_transaction_id ON public.trades (transaction_id) WHERE transaction_id IS NOT NULL;

CREATE TABLE public.user_copies (
    user_id uuid NOT NULL,
    is_active boolean NOT NULL,
    is_frozen boolean NOT NULL,
    referrer_id uuid,
    code_id uuid,
    markup_percentage numeric(5, 2),
    version bigint NOT NULL,
    PRIMARY KEY (user_id)
);
