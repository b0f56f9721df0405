-- `version` counts the changes of a code's terms, which are max_uses, expires_at, disabled and markup_percent. What is
-- not `announced` came from present state that was sent again, which nobody is told of.
CREATE TABLE public.referral_codes (
    id uuid NOT NULL,
    code text NOT NULL,
    kind text NOT NULL,
    owner_id uuid NOT NULL,
    uses bigint NOT NULL DEFAULT 0,
    max_uses bigint,
    expires_at timestamptz,
    disabled boolean NOT NULL DEFAULT false,
    markup_percent numeric(5, 2),
    metadata jsonb NOT NULL DEFAULT '{}',
    version bigint NOT NULL DEFAULT 1,
    announced boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT referral_codes_pkey PRIMARY KEY (id),
    CONSTRAINT referral_codes_owned UNIQUE (id, owner_id),
    CONSTRAINT referral_codes_kind CHECK (kind IN ('affiliate', 'further')),
    CONSTRAINT referral_codes_uses CHECK (uses >= 0),
    CONSTRAINT referral_codes_max_uses CHECK (max_uses > 0),
    CONSTRAINT referral_codes_markup_percent CHECK (markup_percent BETWEEN 0 AND 3)
);

CREATE UNIQUE INDEX referral_codes_code_key ON public.referral_codes (lower(code));
CREATE UNIQUE INDEX referral_codes_affiliate_key ON public.referral_codes (owner_id) WHERE kind = 'affiliate';
CREATE INDEX referral_codes_of_owner ON public.referral_codes (owner_id, id);

-- One row per user, whatever is heard of him first. CLAIMED: a use is taken and he is awaited. CONFIRMED: he has
-- registered. RETURNED: he did not come in time. EXPECTED: only a commission for him has been heard of.
CREATE TABLE public.referrals (
    id uuid NOT NULL,
    code_id uuid,
    owner_id uuid,
    referred_user_id uuid NOT NULL,
    state text NOT NULL,
    commission_awarded boolean NOT NULL DEFAULT false,
    announced boolean NOT NULL DEFAULT false,
    claimed_at timestamptz,
    confirmed_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT referrals_pkey PRIMARY KEY (id),
    CONSTRAINT referrals_referred_user_id_key UNIQUE (referred_user_id),
    CONSTRAINT referrals_code_fkey FOREIGN KEY (code_id, owner_id) REFERENCES public.referral_codes (id, owner_id),
    -- Ids are made in order of time: a referrer is always older, so the tree has no cycles.
    CONSTRAINT referrals_owner_older CHECK (owner_id < referred_user_id),
    CONSTRAINT referrals_state CHECK (state IN ('CLAIMED', 'CONFIRMED', 'RETURNED', 'EXPECTED')),
    CONSTRAINT referrals_code_known CHECK (
        num_nonnulls(code_id, owner_id) = CASE state WHEN 'EXPECTED' THEN 0 ELSE 2 END
    ),
    CONSTRAINT referrals_claimed_at CHECK (state NOT IN ('CLAIMED', 'RETURNED') OR claimed_at IS NOT NULL),
    CONSTRAINT referrals_confirmed_at CHECK ((state = 'CONFIRMED') = (confirmed_at IS NOT NULL))
);

CREATE INDEX referrals_of_owner ON public.referrals (owner_id, id) WHERE state = 'CONFIRMED';
CREATE INDEX referrals_of_code ON public.referrals (code_id, id) WHERE state = 'CONFIRMED';
CREATE INDEX referrals_confirmed ON public.referrals (id) WHERE state = 'CONFIRMED';
CREATE INDEX referrals_claimed ON public.referrals (claimed_at) WHERE state = 'CLAIMED';

CREATE TABLE public.user_copies (
    user_id uuid NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT user_copies_pkey PRIMARY KEY (user_id)
);

CREATE TABLE public.user_names (
    user_id uuid NOT NULL,
    username text NOT NULL,
    CONSTRAINT user_names_pkey PRIMARY KEY (user_id)
);
