-- Who brought a user, by which code of referrals: known from registration on or never.
ALTER TABLE public.users
    ADD COLUMN code_id uuid,
    ADD CONSTRAINT users_referral_whole CHECK (num_nulls(referred_by, referral_code, code_id) IN (0, 3));

-- The id that a user will have, from before his code is claimed: whoever repeats a registration with its idempotency
-- key asks for the use that is already taken, and for no second one.
CREATE TABLE public.registrations (
    route text NOT NULL,
    key text NOT NULL,
    request_hash text NOT NULL,
    user_id uuid NOT NULL,
    created_at timestamptz NOT NULL,
    CONSTRAINT registrations_pkey PRIMARY KEY (route, key, request_hash)
);

-- Whether a user agent is new to a user. What clients send may be longer than an index entry.
CREATE INDEX session_origins_device ON public.session_origins (user_id, "left"(user_agent, 512));
