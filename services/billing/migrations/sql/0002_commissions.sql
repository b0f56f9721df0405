-- The REAL account of a currency that commissions go to: the default one if it fits, else the oldest.
CREATE FUNCTION public.real_account(p_user uuid, p_currency text) RETURNS uuid
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
SELECT a.id FROM public.accounts AS a
WHERE a.user_id = p_user AND a.kind = 'client' AND a.account_type = 'REAL' AND a.currency = p_currency
ORDER BY a.is_default DESC, a.created_at, a.id LIMIT 1
$$;

-- For each user and currency the account that commissions go to, opened under the id that is given if he has none and
-- is not frozen. Who is frozen stays so until the transaction ends: whoever says later that he is free again finds
-- what is kept for him now.
CREATE FUNCTION public.commission_accounts(p_users uuid[], p_currencies text[], p_ids uuid[], p_now timestamptz)
RETURNS TABLE (user_id uuid, currency text, account_id uuid, is_frozen boolean, opened boolean)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
#variable_conflict use_column
DECLARE
    v_frozen constant uuid[] := ARRAY(
        SELECT u.user_id FROM public.user_copies AS u
        WHERE u.user_id = ANY (p_users) AND u.is_frozen ORDER BY u.user_id FOR SHARE);
    v_new record;
BEGIN
    FOR v_new IN
        SELECT w.user_id, w.currency, w.id FROM unnest(p_users, p_currencies, p_ids) AS w (user_id, currency, id)
        WHERE w.user_id <> ALL (v_frozen) AND public.real_account(w.user_id, w.currency) IS NULL
        ORDER BY w.user_id, w.currency
    LOOP
        PERFORM pg_advisory_xact_lock(hashtextextended('accounts of ' || v_new.user_id, 0));
        -- Somebody else may have opened it while this waited.
        IF public.real_account(v_new.user_id, v_new.currency) IS NULL THEN
            PERFORM public.account_open(v_new.id, v_new.user_id, 'REAL', v_new.currency, p_now);
        END IF;
    END LOOP;
    RETURN QUERY
    SELECT w.user_id, w.currency, a.id, w.user_id = ANY (v_frozen), coalesce(a.id = w.id, false)
    FROM unnest(p_users, p_currencies, p_ids) AS w (user_id, currency, id)
    CROSS JOIN LATERAL (SELECT public.real_account(w.user_id, w.currency)) AS a (id);
END
$$;

-- What is kept for users, who cannot be paid out twice at once: their payable accounts are locked.
CREATE FUNCTION public.payable_lock(p_users uuid[])
RETURNS TABLE (user_id uuid, currency text, balance bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
#variable_conflict use_column
BEGIN
    PERFORM FROM public.accounts AS a
    WHERE a.user_id = ANY (p_users) AND a.kind = 'payable' AND a.environment = 'real'
    ORDER BY a.id FOR NO KEY UPDATE;
    RETURN QUERY
    SELECT a.user_id, a.currency, b.balance
    FROM public.accounts AS a JOIN public.account_balances AS b ON b.account_id = a.id
    WHERE a.user_id = ANY (p_users) AND a.kind = 'payable' AND a.environment = 'real';
END
$$;
