CREATE TABLE public.users (
    id uuid NOT NULL,
    username text NOT NULL,
    email text NOT NULL,
    password_hash text NOT NULL,
    is_email_verified boolean NOT NULL DEFAULT false,
    first_name text NOT NULL DEFAULT '',
    last_name text NOT NULL DEFAULT '',
    is_staff boolean NOT NULL DEFAULT false,
    is_active boolean NOT NULL DEFAULT true,
    is_frozen boolean NOT NULL DEFAULT false,
    referred_by uuid,
    referral_code text,
    affiliate_code text NOT NULL,
    markup_percentage numeric(5, 2),
    version bigint NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    CONSTRAINT users_pkey PRIMARY KEY (id),
    CONSTRAINT users_affiliate_code_key UNIQUE (affiliate_code),
    CONSTRAINT users_referred_by_fkey FOREIGN KEY (referred_by) REFERENCES public.users (id),
    -- Ids are made in order of time: a referrer is always older, so the tree has no cycles.
    CONSTRAINT users_referrer_older CHECK (referred_by < id),
    CONSTRAINT users_markup_percentage CHECK (markup_percentage BETWEEN 0 AND 3)
);

CREATE UNIQUE INDEX users_username_key ON public.users (lower(username));
CREATE UNIQUE INDEX users_email_key ON public.users (lower(email));
CREATE INDEX users_newest_active ON public.users (created_at) WHERE is_active;

-- A session is a family of refresh tokens: number `counter` is the current one, the one before it is good for the
-- grace window. Tokens themselves are not kept, only their hashes.
CREATE TABLE public.sessions (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    counter integer NOT NULL DEFAULT 0,
    salt bytea NOT NULL,
    token_hash bytea NOT NULL,
    rotated_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    access_until timestamptz NOT NULL,
    revoked_at timestamptz,
    reason text,
    CONSTRAINT sessions_pkey PRIMARY KEY (id),
    CONSTRAINT sessions_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id),
    CONSTRAINT sessions_revoked CHECK ((revoked_at IS NULL) = (reason IS NULL))
);

CREATE INDEX sessions_live ON public.sessions (user_id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_revoked_until ON public.sessions (access_until) WHERE revoked_at IS NOT NULL;

-- Personal data of sessions stands apart, in a table that erasing empties.
CREATE TABLE public.session_origins (
    session_id uuid NOT NULL,
    user_id uuid NOT NULL,
    ip text,
    user_agent text,
    seen_at timestamptz NOT NULL,
    CONSTRAINT session_origins_pkey PRIMARY KEY (session_id),
    CONSTRAINT session_origins_session_id_fkey FOREIGN KEY (session_id) REFERENCES public.sessions (id)
);

CREATE TABLE public.login_failures (
    user_id uuid NOT NULL,
    failures integer NOT NULL,
    locked_until timestamptz,
    failed_at timestamptz NOT NULL,
    CONSTRAINT login_failures_pkey PRIMARY KEY (user_id),
    CONSTRAINT login_failures_user_id_fkey FOREIGN KEY (user_id) REFERENCES public.users (id)
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
