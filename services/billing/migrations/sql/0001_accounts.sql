-- Opens an account, the user's first one as his default; false when he has that demo account already.
CREATE FUNCTION public.account_open(p_id uuid, p_user uuid, p_account_type text, p_currency text, p_now timestamptz)
RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    -- One at a time for a user: two first accounts would both want to be the default.
    PERFORM pg_advisory_xact_lock(hashtextextended('accounts of ' || p_user, 0));
    INSERT INTO public.accounts
        (id, kind, environment, currency, user_id, account_type, is_default, created_at, updated_at)
    SELECT p_id, 'client', CASE p_account_type WHEN 'DEMO' THEN 'demo' ELSE 'real' END, p_currency, p_user,
        p_account_type, NOT EXISTS (SELECT FROM public.accounts AS a WHERE a.user_id = p_user AND a.kind = 'client'),
        p_now, p_now
    ON CONFLICT (user_id, currency) WHERE account_type = 'DEMO' DO NOTHING;
    RETURN FOUND;
END
$$;

-- Sets or takes away (null) an account's own markup. No row: no such account.
CREATE FUNCTION public.account_set_markup(
    p_id uuid, p_markup_percentage numeric, p_now timestamptz, OUT before numeric, OUT changed boolean
)
RETURNS SETOF record
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    SELECT a.markup_percentage, a.markup_percentage IS DISTINCT FROM p_markup_percentage INTO before, changed
    FROM public.accounts AS a WHERE a.id = p_id AND a.kind = 'client' FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF changed THEN
        UPDATE public.accounts
        SET markup_percentage = p_markup_percentage, terms_version = terms_version + 1, updated_at = p_now
        WHERE id = p_id;
    END IF;
    RETURN NEXT;
END
$$;
