-- Opens an account, the user's first one as his default; false when he has that demo account already, or somebody has
-- an account of that Deriv account. Callers of the old form, without the last two, are served as before.
DROP FUNCTION public.account_open;
CREATE FUNCTION public.account_open(
    p_id uuid, p_user uuid, p_account_type text, p_currency text, p_now timestamptz,
    p_deriv_account_id text DEFAULT NULL, p_metadata jsonb DEFAULT '{}'
)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
BEGIN
    -- One at a time for a user: two first accounts would both want to be the default.
    PERFORM pg_advisory_xact_lock(hashtextextended('accounts of ' || p_user, 0));
    INSERT INTO public.accounts (
        id, kind, environment, currency, user_id, account_type, deriv_account_id, metadata, is_default,
        created_at, updated_at
    )
    SELECT p_id, 'client', CASE p_account_type WHEN 'DEMO' THEN 'demo' ELSE 'real' END, p_currency, p_user,
        p_account_type, p_deriv_account_id, p_metadata,
        NOT EXISTS (SELECT FROM public.accounts AS a WHERE a.user_id = p_user AND a.is_default),
        p_now, p_now
    ON CONFLICT DO NOTHING;
    RETURN FOUND;
END
$$;

-- Opens the REAL account of a Deriv account, or updates it: metadata (null: as they are) are replaced, and true for
-- p_is_default moves the default here. `account_id` is null when the Deriv account is somebody else's or has another
-- currency: then all of it must be rolled back. `promoted`: an account that was there became the default; `demoted`:
-- the one that was it before.
CREATE FUNCTION public.account_sync(
    p_id uuid, p_user uuid, p_deriv_account_id text, p_currency text, p_metadata jsonb, p_is_default boolean,
    p_now timestamptz, OUT account_id uuid, OUT created boolean, OUT promoted boolean, OUT demoted uuid
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
DECLARE
    v_found public.accounts;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('accounts of ' || p_user, 0));
    -- In the ledger's order, since up to two of his accounts change.
    PERFORM FROM public.accounts AS a
    WHERE a.user_id = p_user AND a.kind = 'client' AND (a.is_default OR a.deriv_account_id = p_deriv_account_id)
    ORDER BY a.id FOR NO KEY UPDATE;
    IF p_is_default THEN
        UPDATE public.accounts AS a
        SET is_default = false, terms_version = a.terms_version + 1, updated_at = p_now
        WHERE a.user_id = p_user AND a.is_default AND a.deriv_account_id IS DISTINCT FROM p_deriv_account_id
        RETURNING a.id INTO demoted;
    END IF;
    promoted := false;
    created := public.account_open(
        p_id, p_user, 'REAL', p_currency, p_now, p_deriv_account_id, coalesce(p_metadata, '{}'));
    IF created THEN
        account_id := p_id;
        RETURN;
    END IF;
    SELECT * INTO v_found FROM public.accounts AS a WHERE a.deriv_account_id = p_deriv_account_id FOR NO KEY UPDATE;
    IF v_found.user_id IS DISTINCT FROM p_user OR v_found.currency <> p_currency THEN
        RETURN;
    END IF;
    account_id := v_found.id;
    promoted := p_is_default IS TRUE AND NOT v_found.is_default;
    IF promoted OR coalesce(p_metadata, v_found.metadata) <> v_found.metadata THEN
        UPDATE public.accounts AS a
        SET is_default = a.is_default OR promoted, metadata = coalesce(p_metadata, a.metadata),
            terms_version = a.terms_version + promoted::int, updated_at = p_now
        WHERE a.id = v_found.id;
    END IF;
END
$$;
