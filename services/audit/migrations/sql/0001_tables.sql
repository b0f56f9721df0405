-- What happened, exactly one entry per fact: the event's id, or the id of a record that somebody else made, once for
-- ever. `personal_hash` is all that an entry knows of names and addresses: see personal_data.
CREATE TABLE public.entries (
    id uuid NOT NULL,
    event_id uuid,
    record_id uuid,
    action text NOT NULL,
    description text NOT NULL,
    user_id uuid,
    actor_user_id uuid,
    actor_role text NOT NULL,
    actor_kind text NOT NULL,
    subject_type text NOT NULL,
    subject_id text NOT NULL,
    result text NOT NULL,
    correlation_id text NOT NULL,
    causation_id text,
    occurred_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    metadata jsonb NOT NULL,
    personal_hash bytea,
    CONSTRAINT entries_pkey PRIMARY KEY (id),
    CONSTRAINT entries_event_id UNIQUE (event_id),
    CONSTRAINT entries_fact CHECK (num_nonnulls(event_id, record_id) = 1),
    CONSTRAINT entries_result CHECK (result IN ('success', 'failure', 'denied')),
    CONSTRAINT entries_personal_hash CHECK (octet_length(personal_hash) = 32)
);

CREATE UNIQUE INDEX entries_record_id ON public.entries (record_id) WHERE record_id IS NOT NULL;
CREATE INDEX entries_of_action ON public.entries (action, id);
CREATE INDEX entries_of_subject ON public.entries (subject_id, id);
CREATE INDEX entries_of_user ON public.entries (user_id, id) WHERE user_id IS NOT NULL;
CREATE INDEX entries_of_user_action ON public.entries (user_id, action, id) WHERE user_id IS NOT NULL;

-- Every event as it came, but for its personal and secret parts; with personal_data it is whole again.
CREATE TABLE public.archive (
    event_id uuid NOT NULL,
    source text NOT NULL,
    type text NOT NULL,
    version integer NOT NULL,
    subject text NOT NULL,
    subject_version bigint NOT NULL,
    occurred_at timestamptz NOT NULL,
    envelope text NOT NULL,
    CONSTRAINT archive_pkey PRIMARY KEY (event_id)
);

-- Who and from where. Erasing a person deletes his rows: the salt goes with the data, so that the hash that stays
-- behind in the entry leaves nothing to guess at.
CREATE TABLE public.personal_data (
    entry_id uuid NOT NULL,
    user_id uuid,
    salt bytea NOT NULL,
    personal jsonb NOT NULL,
    CONSTRAINT personal_data_pkey PRIMARY KEY (entry_id),
    CONSTRAINT personal_data_salt CHECK (octet_length(salt) = 32)
);
CREATE INDEX personal_data_of_user ON public.personal_data (user_id) WHERE user_id IS NOT NULL;

-- Entries that wait for their seal; the sealer empties it. Finding them by a position in the order of ids or of
-- transactions would pass by those that commit late, and lose its way when transaction numbers start again.
CREATE TABLE public.unsealed (
    entry_id uuid NOT NULL,
    CONSTRAINT unsealed_pkey PRIMARY KEY (entry_id)
);

-- The chain: hash = sha256(prev || sha256(the entry's canonical text)). Written from entries by one statement, so a
-- foreign key would only read them once more.
CREATE TABLE public.seals (
    number bigint NOT NULL,
    entry_id uuid NOT NULL,
    prev bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT seals_pkey PRIMARY KEY (number),
    CONSTRAINT seals_entry_id UNIQUE (entry_id),
    CONSTRAINT seals_number CHECK (number > 0),
    CONSTRAINT seals_hashes CHECK (octet_length(prev) = 32 AND octet_length(hash) = 32)
);

-- Where the chain ended after each round of sealing, signed with a key that is not in this database.
CREATE TABLE public.seal_heads (
    upto bigint NOT NULL,
    hash bytea NOT NULL,
    signature bytea NOT NULL,
    key_id text NOT NULL,
    sealed_at timestamptz NOT NULL,
    CONSTRAINT seal_heads_pkey PRIMARY KEY (upto),
    CONSTRAINT seal_heads_upto_fkey FOREIGN KEY (upto) REFERENCES public.seals (number)
);

CREATE TABLE public.user_copies (
    user_id uuid NOT NULL,
    version bigint NOT NULL,
    CONSTRAINT user_copies_pkey PRIMARY KEY (user_id)
);

-- Personal data stands apart: erasing a user empties his row here.
CREATE TABLE public.user_names (
    user_id uuid NOT NULL,
    username text NOT NULL,
    CONSTRAINT user_names_pkey PRIMARY KEY (user_id)
);

CREATE FUNCTION public.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: what happened stays as it was', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.entries
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER archive_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.archive
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER seals_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.seals
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER seal_heads_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.seal_heads
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
