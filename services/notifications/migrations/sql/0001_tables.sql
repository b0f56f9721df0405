-- A recipient is a user, or all of staff: `recipient_id` is the user's id, or zeros where `user_id` is null. Ids are
-- UUIDv7 made by the service.

-- The row that everything about a recipient's notifications is changed under: who changes any of them locks it first.
CREATE TABLE public.counters (
    recipient_id uuid NOT NULL,
    last_number bigint NOT NULL DEFAULT 0,
    unread bigint NOT NULL DEFAULT 0,
    CONSTRAINT counters_pkey PRIMARY KEY (recipient_id),
    CONSTRAINT counters_unread CHECK (unread BETWEEN 0 AND last_number)
) WITH (fillfactor = 60);

-- Rows never go: a deleted notification is emptied, and what is left of it keeps the fact from being told again.
-- `kind` is the type of the event ('created': by a call), `fact` what it is about, the same at every delivery.
CREATE TABLE public.notifications (
    id uuid NOT NULL,
    user_id uuid,
    recipient_id uuid NOT NULL
        GENERATED ALWAYS AS (COALESCE(user_id, '00000000-0000-0000-0000-000000000000'::uuid)) STORED,
    number bigint NOT NULL,
    kind text NOT NULL,
    fact text NOT NULL,
    event_id uuid,
    title text NOT NULL,
    body text NOT NULL,
    level text NOT NULL,
    data jsonb NOT NULL,
    is_read boolean NOT NULL DEFAULT false,
    read_at timestamptz,
    deleted_at timestamptz,
    created_at timestamptz NOT NULL,
    CONSTRAINT notifications_pkey PRIMARY KEY (id),
    CONSTRAINT notifications_number UNIQUE (recipient_id, number),
    CONSTRAINT notifications_fact UNIQUE (kind, fact, recipient_id),
    CONSTRAINT notifications_somebody CHECK (user_id <> '00000000-0000-0000-0000-000000000000'),
    CONSTRAINT notifications_counted CHECK (number > 0),
    CONSTRAINT notifications_level CHECK (level IN ('info', 'warning', 'error')),
    CONSTRAINT notifications_event CHECK ((event_id IS NULL) = (kind = 'created')),
    CONSTRAINT notifications_read CHECK (is_read = (read_at IS NOT NULL)),
    CONSTRAINT notifications_emptied CHECK (
        CASE WHEN deleted_at IS NULL THEN title <> '' ELSE title = '' AND body = '' AND data = '{}' END
    )
);

-- Serves the lists of all, of unread and of read ones, the newest first, without walking past deleted ones.
CREATE INDEX notifications_shown ON public.notifications (recipient_id, is_read, id) WHERE deleted_at IS NULL;

CREATE FUNCTION public.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: a notification is read, and emptied, once', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER notifications_stay BEFORE DELETE OR TRUNCATE ON public.notifications
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER counters_stay BEFORE DELETE OR TRUNCATE ON public.counters
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER notifications_identity BEFORE UPDATE OF id, user_id, number, kind, fact, event_id, level, created_at
    ON public.notifications FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER notifications_final BEFORE UPDATE ON public.notifications FOR EACH ROW
    WHEN (OLD.deleted_at IS NOT NULL OR OLD.is_read AND NOT NEW.is_read)
    EXECUTE FUNCTION public.refuse_change();
-- A text stays as it was written until it is emptied.
CREATE TRIGGER notifications_text BEFORE UPDATE OF title, body, data ON public.notifications FOR EACH ROW
    WHEN (NEW.deleted_at IS NULL) EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER counters_onward BEFORE UPDATE ON public.counters FOR EACH ROW
    WHEN (NEW.recipient_id <> OLD.recipient_id OR NEW.last_number < OLD.last_number)
    EXECUTE FUNCTION public.refuse_change();

CREATE TABLE public.user_copies (
    user_id uuid NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT user_copies_pkey PRIMARY KEY (user_id)
);

-- Personal data stands apart: erasing a user empties his row here.
CREATE TABLE public.user_contacts (
    user_id uuid NOT NULL,
    username text,
    email text,
    CONSTRAINT user_contacts_pkey PRIMARY KEY (user_id)
);

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
