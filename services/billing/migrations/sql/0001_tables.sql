-- Amounts are minor units of the row's currency. Ids are UUIDv7 made by the caller, except those of our own
-- accounts (house, payable, receivable), which are derived from what they are for (see billing/ledger.py).

CREATE TABLE public.accounts (
    id uuid NOT NULL,
    kind text NOT NULL,
    purpose text,
    environment text NOT NULL,
    currency text NOT NULL,
    user_id uuid,
    account_type text,
    deriv_account_id text,
    -- Accounts that everybody posts to have no row to wait for: their balance is checkpoint + tail.
    append_only boolean NOT NULL GENERATED ALWAYS AS (kind IN ('house', 'payable')) STORED,
    balance bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    floor bigint NOT NULL DEFAULT 0,
    version bigint NOT NULL DEFAULT 0,
    is_default boolean NOT NULL DEFAULT false,
    markup_percentage numeric(5, 2),
    metadata jsonb NOT NULL DEFAULT '{}',
    terms_version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT accounts_pkey PRIMARY KEY (id),
    CONSTRAINT accounts_kind CHECK (kind IN ('client', 'payable', 'receivable', 'house')),
    CONSTRAINT accounts_environment CHECK (environment IN ('demo', 'real')),
    CONSTRAINT accounts_purpose CHECK (
        (kind = 'house') = (purpose IS NOT NULL)
        AND purpose IN ('funding', 'external', 'trading', 'markup', 'commission_expense')
    ),
    CONSTRAINT accounts_owner CHECK ((kind = 'house') = (user_id IS NULL)),
    CONSTRAINT accounts_type CHECK (
        CASE kind
            WHEN 'client' THEN account_type IS NOT NULL
                AND account_type = CASE environment WHEN 'demo' THEN 'DEMO' ELSE 'REAL' END
            ELSE account_type IS NULL AND deriv_account_id IS NULL AND NOT is_default AND markup_percentage IS NULL
        END
    ),
    CONSTRAINT accounts_append_only CHECK (NOT append_only OR (balance = 0 AND held = 0 AND version = 0)),
    CONSTRAINT accounts_floor CHECK (kind <> 'client' OR balance - held >= floor),
    CONSTRAINT accounts_debt CHECK (kind <> 'receivable' OR (balance <= 0 AND held = 0)),
    CONSTRAINT accounts_held CHECK (held >= 0),
    CONSTRAINT accounts_markup_percentage CHECK (markup_percentage BETWEEN 0 AND 3)
) WITH (fillfactor = 60);

CREATE UNIQUE INDEX accounts_one_default ON public.accounts (user_id) WHERE is_default;
CREATE UNIQUE INDEX accounts_one_demo ON public.accounts (user_id, currency) WHERE account_type = 'DEMO';
CREATE UNIQUE INDEX accounts_deriv_account_id ON public.accounts (deriv_account_id);
CREATE UNIQUE INDEX accounts_one_house ON public.accounts (environment, currency, purpose) WHERE kind = 'house';
CREATE UNIQUE INDEX accounts_one_per_owner ON public.accounts (user_id, kind, environment, currency)
    WHERE kind IN ('payable', 'receivable');
CREATE INDEX accounts_of_user ON public.accounts (user_id, is_default, id) WHERE kind = 'client';

-- `xact` is the database transaction that wrote the row. It tells postings of a ledger transaction from later
-- additions to it, and finished tails from running ones (see checkpoints).
CREATE TABLE public.ledger_tx (
    id uuid NOT NULL,
    kind text NOT NULL,
    ref text NOT NULL,
    request_hash bytea NOT NULL,
    environment text NOT NULL,
    currency text NOT NULL,
    reverses uuid,
    correlation_id text,
    created_at timestamptz NOT NULL,
    xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT ledger_tx_pkey PRIMARY KEY (id),
    CONSTRAINT ledger_tx_kind_ref UNIQUE (kind, ref),
    CONSTRAINT ledger_tx_reverses UNIQUE (reverses),
    CONSTRAINT ledger_tx_reverses_fkey FOREIGN KEY (reverses) REFERENCES public.ledger_tx (id)
);

-- No foreign keys here: one to accounts would lock the shared row of a house account for every posting, and both
-- are checked by the triggers of 0001_guards.sql, which no posting can pass.
CREATE TABLE public.postings (
    tx_id uuid NOT NULL,
    line smallint NOT NULL,
    account_id uuid NOT NULL,
    amount bigint NOT NULL,
    balance_after bigint,
    version bigint,
    xact bigint NOT NULL DEFAULT pg_current_xact_id()::text::bigint,
    CONSTRAINT postings_pkey PRIMARY KEY (tx_id, line),
    CONSTRAINT postings_amount CHECK (amount <> 0),
    CONSTRAINT postings_line CHECK (line > 0),
    CONSTRAINT postings_numbered CHECK ((version IS NULL) = (balance_after IS NULL))
);

CREATE UNIQUE INDEX postings_account_version ON public.postings (account_id, version) WHERE version IS NOT NULL;
CREATE INDEX postings_tail ON public.postings (account_id, xact) INCLUDE (amount) WHERE version IS NULL;

-- A hold released before it came is a tombstone: RELEASED, without account and amount.
CREATE TABLE public.holds (
    id uuid NOT NULL,
    account_id uuid,
    user_id uuid,
    amount bigint,
    state text NOT NULL,
    placed_at timestamptz,
    resolved_at timestamptz,
    reason text,
    CONSTRAINT holds_pkey PRIMARY KEY (id),
    CONSTRAINT holds_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts (id),
    CONSTRAINT holds_state CHECK (state IN ('HELD', 'SETTLED', 'RELEASED')),
    CONSTRAINT holds_amount CHECK (amount > 0),
    CONSTRAINT holds_placed CHECK (
        num_nulls(account_id, user_id, amount, placed_at) = 0
        OR (state = 'RELEASED' AND num_nonnulls(account_id, user_id, amount, placed_at) = 0)
    ),
    CONSTRAINT holds_resolved CHECK ((state = 'HELD') = (resolved_at IS NULL))
);

CREATE INDEX holds_of_account ON public.holds (account_id) WHERE state = 'HELD';

-- Statement lines. A COMPLETED one shows exactly one posting on a client's account.
CREATE TABLE public.transactions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    account_id uuid NOT NULL,
    tx_type text NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    reference text,
    status text NOT NULL,
    balance_after bigint,
    metadata jsonb NOT NULL DEFAULT '{}',
    ledger_tx_id uuid,
    line smallint,
    created_at timestamptz NOT NULL,
    CONSTRAINT transactions_pkey PRIMARY KEY (id),
    CONSTRAINT transactions_tx_type CHECK (tx_type IN (
        'DEPOSIT', 'WITHDRAWAL', 'COMMISSION', 'MARKUP', 'TRADE_PAYOUT', 'TRADE_STAKE', 'REFUND', 'ADJUSTMENT'
    )),
    CONSTRAINT transactions_amount CHECK (amount <> 0),
    CONSTRAINT transactions_status CHECK (status IN ('PENDING', 'COMPLETED', 'FAILED')),
    CONSTRAINT transactions_posted CHECK (
        num_nulls(ledger_tx_id, line, balance_after) = CASE status WHEN 'COMPLETED' THEN 0 ELSE 3 END
    )
);

CREATE UNIQUE INDEX transactions_posting ON public.transactions (ledger_tx_id, line) WHERE ledger_tx_id IS NOT NULL;
CREATE INDEX transactions_of_account ON public.transactions (account_id, id);
CREATE INDEX transactions_of_user ON public.transactions (user_id, id);
-- Trades make nearly all lines; these find the others without walking past them.
CREATE INDEX transactions_of_account_rare ON public.transactions (account_id, tx_type, id)
    WHERE tx_type NOT IN ('TRADE_STAKE', 'MARKUP', 'TRADE_PAYOUT');
CREATE INDEX transactions_of_user_rare ON public.transactions (user_id, tx_type, id)
    WHERE tx_type NOT IN ('TRADE_STAKE', 'MARKUP', 'TRADE_PAYOUT');
CREATE INDEX transactions_rare ON public.transactions (tx_type, id)
    WHERE tx_type NOT IN ('TRADE_STAKE', 'MARKUP', 'TRADE_PAYOUT');
CREATE INDEX transactions_of_account_unfinished ON public.transactions (account_id, status, id)
    WHERE status <> 'COMPLETED';
CREATE INDEX transactions_of_user_unfinished ON public.transactions (user_id, status, id) WHERE status <> 'COMPLETED';
CREATE INDEX transactions_unfinished ON public.transactions (status, id) WHERE status <> 'COMPLETED';

-- What the postings of an append-only account sum up to, for all transactions before `upto`.
CREATE TABLE public.checkpoints (
    account_id uuid NOT NULL,
    upto bigint NOT NULL,
    balance bigint NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT checkpoints_pkey PRIMARY KEY (account_id),
    CONSTRAINT checkpoints_account_id_fkey FOREIGN KEY (account_id) REFERENCES public.accounts (id)
);

CREATE TABLE public.user_copies (
    user_id uuid NOT NULL,
    is_active boolean NOT NULL,
    is_frozen boolean NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT user_copies_pkey PRIMARY KEY (user_id)
);

-- Personal data stands apart: erasing a user empties his row here.
CREATE TABLE public.user_names (
    user_id uuid NOT NULL,
    username text NOT NULL,
    CONSTRAINT user_names_pkey PRIMARY KEY (user_id)
);
