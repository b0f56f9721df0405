-- Amounts are minor units of the row's currency. Ids are UUIDv7 made by the service, so that their order is the order
-- of creation.

CREATE TABLE public.outbox (
    id uuid NOT NULL,
    seq bigint GENERATED ALWAYS AS IDENTITY NOT NULL,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    payload text NOT NULL,
    has_secret boolean NOT NULL DEFAULT false,
    mandatory boolean NOT NULL DEFAULT true,
    created_at timestamptz NOT NULL DEFAULT now(),
    attempts integer NOT NULL DEFAULT 0,
    next_attempt_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz,
    CONSTRAINT outbox_pkey PRIMARY KEY (id)
);
CREATE INDEX outbox_unsent ON public.outbox (seq) WHERE sent_at IS NULL;

CREATE TABLE public.idempotency (
    user_id uuid NOT NULL,
    route text NOT NULL,
    key text NOT NULL,
    request_hash text NOT NULL,
    subject_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT idempotency_pkey PRIMARY KEY (user_id, route, key)
);

-- The present version of each owner's rule.
CREATE TABLE public.rules (
    id uuid NOT NULL,
    owner_id uuid NOT NULL,
    referral_percent numeric(5, 2) NOT NULL,
    markup_percent numeric(5, 2) NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT rules_pkey PRIMARY KEY (id),
    CONSTRAINT rules_owner_id UNIQUE (owner_id),
    CONSTRAINT rules_percents CHECK (referral_percent BETWEEN 0 AND 100 AND markup_percent BETWEEN 0 AND 5),
    CONSTRAINT rules_version CHECK (version > 0)
);

-- Every version; in force from `valid_from` until the next one is.
CREATE TABLE public.rule_versions (
    rule_id uuid NOT NULL,
    version integer NOT NULL,
    referral_percent numeric(5, 2) NOT NULL,
    markup_percent numeric(5, 2) NOT NULL,
    valid_from timestamptz NOT NULL,
    set_by uuid NOT NULL,
    CONSTRAINT rule_versions_pkey PRIMARY KEY (rule_id, version),
    CONSTRAINT rule_versions_rule_id_fkey FOREIGN KEY (rule_id) REFERENCES public.rules (id),
    CONSTRAINT rule_versions_valid_from UNIQUE (rule_id, valid_from),
    CONSTRAINT rule_versions_percents CHECK (referral_percent BETWEEN 0 AND 100 AND markup_percent BETWEEN 0 AND 5)
);

-- CommissionTransaction: what `owner_id` has earned because `user_id` has paid, for the trade or deposit `reference`.
-- A reversal is the mirror of the award that it `reverses`.
CREATE TABLE public.awards (
    id uuid NOT NULL,
    commission_rule_id uuid,
    rule_version integer,
    owner_id uuid NOT NULL,
    user_id uuid NOT NULL,
    amount bigint NOT NULL,
    currency text NOT NULL,
    kind text NOT NULL,
    level smallint NOT NULL,
    sign smallint NOT NULL,
    reference uuid NOT NULL,
    metadata jsonb NOT NULL,
    reverses uuid,
    created_at timestamptz NOT NULL,
    CONSTRAINT awards_pkey PRIMARY KEY (id),
    CONSTRAINT awards_once UNIQUE (reference, kind, level, owner_id, sign),
    CONSTRAINT awards_reverses_fkey FOREIGN KEY (reverses) REFERENCES public.awards (id),
    CONSTRAINT awards_parties CHECK (owner_id <> user_id),
    CONSTRAINT awards_kind CHECK (
        kind = 'MARKUP' OR kind = 'REFERRAL' AND commission_rule_id IS NOT NULL AND rule_version IS NOT NULL
    ),
    CONSTRAINT awards_level CHECK (level > 0),
    CONSTRAINT awards_sign CHECK (sign IN (1, -1) AND amount * sign > 0 AND (sign = -1) = (reverses IS NOT NULL))
);
CREATE UNIQUE INDEX awards_reverses ON public.awards (reverses) WHERE reverses IS NOT NULL;
CREATE INDEX awards_of_owner ON public.awards (owner_id, id);
CREATE INDEX awards_of_user ON public.awards (user_id, id);
-- Trades make nearly all of them; these find the others without walking past them.
CREATE INDEX awards_of_owner_rare ON public.awards (owner_id, id) WHERE kind <> 'MARKUP';
CREATE INDEX awards_of_user_rare ON public.awards (user_id, id) WHERE kind <> 'MARKUP';
CREATE INDEX awards_rare ON public.awards (id) WHERE kind <> 'MARKUP';

-- What was decided, once, about every settled trade and every first deposit. `amount` is what the event says: the
-- trade's markup, the deposit; `due` is what `owner_id` (the affiliate, the referrer) gets of it.
CREATE TABLE public.decisions (
    subject_kind text NOT NULL,
    subject_id uuid NOT NULL,
    user_id uuid NOT NULL,
    owner_id uuid,
    currency text NOT NULL,
    amount bigint NOT NULL,
    due bigint NOT NULL,
    outcome text NOT NULL,
    reason text,
    award_id uuid,
    occurred_at timestamptz NOT NULL,
    decided_at timestamptz NOT NULL,
    CONSTRAINT decisions_pkey PRIMARY KEY (subject_kind, subject_id),
    CONSTRAINT decisions_award_id_fkey FOREIGN KEY (award_id) REFERENCES public.awards (id),
    -- A markup goes to the affiliate whole or not at all.
    CONSTRAINT decisions_amounts CHECK (
        due BETWEEN 0 AND amount AND (subject_kind <> 'trade' OR due IN (0, amount))
    ),
    CONSTRAINT decisions_outcome CHECK (
        CASE outcome
            WHEN 'awarded' THEN due > 0 AND reason IS NULL AND num_nonnulls(owner_id, award_id) = 2
            WHEN 'none_due' THEN due = 0 AND reason IS NOT NULL AND award_id IS NULL
            ELSE false
        END
    ),
    CONSTRAINT decisions_reason CHECK (
        CASE subject_kind
            WHEN 'trade' THEN reason IN ('demo', 'no_affiliate', 'no_markup')
            WHEN 'deposit' THEN reason IN ('no_referrer', 'no_rule', 'zero')
            ELSE false
        END
    )
);
CREATE UNIQUE INDEX decisions_one_first_deposit ON public.decisions (user_id) WHERE subject_kind = 'deposit';

CREATE TABLE public.user_copies (
    user_id uuid NOT NULL,
    referrer_id uuid,
    version bigint NOT NULL,
    CONSTRAINT user_copies_pkey PRIMARY KEY (user_id)
);

-- Personal data stands apart: erasing a user empties his row here.
CREATE TABLE public.user_names (
    user_id uuid NOT NULL,
    username text NOT NULL,
    CONSTRAINT user_names_pkey PRIMARY KEY (user_id)
);
