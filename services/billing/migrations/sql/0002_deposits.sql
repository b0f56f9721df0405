-- A statement line that waits for staff; no money moves.
CREATE FUNCTION public.deposit_request(p_id uuid, p_account uuid, p_amount bigint, p_reference text, p_now timestamptz)
RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
INSERT INTO public.transactions (id, user_id, account_id, tx_type, amount, currency, reference, status, created_at)
SELECT p_id, a.user_id, a.id, 'DEPOSIT', p_amount, a.currency, p_reference, 'PENDING', p_now
FROM public.accounts AS a WHERE a.id = p_account AND a.account_type = 'REAL' AND p_amount > 0
$$;

-- Whether it is a deposit that staff decide on; if so, nobody else does until the transaction ends.
CREATE FUNCTION public.deposit_lock(p_id uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    PERFORM FROM public.transactions AS x JOIN public.accounts AS a ON a.id = x.account_id
    WHERE x.id = p_id AND x.tx_type = 'DEPOSIT' AND a.account_type = 'REAL' FOR NO KEY UPDATE OF x;
    RETURN FOUND;
END
$$;

CREATE FUNCTION public.deposit_fail(p_id uuid, p_reason text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
UPDATE public.transactions AS x
SET status = 'FAILED', metadata = x.metadata || jsonb_build_object('reason', p_reason)
WHERE x.id = p_id AND x.status = 'PENDING' AND x.tx_type = 'DEPOSIT'
$$;

-- Whether this completed deposit is its user's first one: of several at once, the one whose commit comes first.
CREATE FUNCTION public.deposit_is_first(p_id uuid, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO public.first_deposits (user_id, transaction_id, completed_at)
    SELECT x.user_id, x.id, p_now FROM public.transactions AS x
    WHERE x.id = p_id AND x.status = 'COMPLETED' AND x.tx_type = 'DEPOSIT'
    ON CONFLICT (user_id) DO NOTHING;
    RETURN FOUND;
END
$$;
