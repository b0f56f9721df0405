-- Reserves money on a client's account, once per p_id. `outcome` is placed (also when it was there already with the
-- same contents), insufficient, unknown_account, refused (a tombstone), or mismatch; `available` is what is left.
CREATE FUNCTION public.hold_place(
    p_id uuid, p_account uuid, p_user uuid, p_amount bigint, p_currency text, p_now timestamptz,
    OUT outcome text, OUT available bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
DECLARE
    v_hold public.holds;
BEGIN
    UPDATE public.accounts AS a SET held = a.held + p_amount, updated_at = p_now
    WHERE a.id = p_account AND a.kind = 'client' AND a.user_id = p_user AND a.currency = p_currency
        AND a.balance - a.held - a.floor >= p_amount
    RETURNING a.balance - a.held - a.floor INTO available;
    IF FOUND THEN
        INSERT INTO public.holds (id, account_id, user_id, amount, state, placed_at)
        VALUES (p_id, p_account, p_user, p_amount, 'HELD', p_now)
        ON CONFLICT (id) DO NOTHING;
        IF FOUND THEN
            outcome := 'placed';
            RETURN;
        END IF;
        UPDATE public.accounts AS a SET held = a.held - p_amount WHERE a.id = p_account;
    END IF;
    SELECT a.balance - a.held - a.floor INTO available FROM public.accounts AS a
    WHERE a.id = p_account AND a.kind = 'client' AND a.user_id = p_user AND a.currency = p_currency;
    IF NOT FOUND THEN
        outcome := 'unknown_account';
        RETURN;
    END IF;
    SELECT * INTO v_hold FROM public.holds AS h WHERE h.id = p_id;
    outcome := CASE
        WHEN NOT FOUND THEN 'insufficient'
        WHEN v_hold.state = 'RELEASED' THEN 'refused'
        WHEN v_hold.account_id = p_account AND v_hold.amount = p_amount THEN 'placed'
        ELSE 'mismatch'
    END;
END
$$;

-- Gives a hold back, or leaves a tombstone for one that never came. p_user: only this user's hold, null: anybody's.
-- Returns RELEASED, SETTLED (it was used), or null when it is somebody else's.
CREATE FUNCTION public.hold_release(p_id uuid, p_user uuid, p_reason text, p_now timestamptz)
RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
DECLARE
    v_hold public.holds;
BEGIN
    LOOP
        SELECT * INTO v_hold FROM public.holds AS h WHERE h.id = p_id;
        EXIT WHEN FOUND;
        INSERT INTO public.holds (id, state, resolved_at, reason) VALUES (p_id, 'RELEASED', p_now, p_reason)
        ON CONFLICT (id) DO NOTHING;
        IF FOUND THEN
            RETURN 'RELEASED';
        END IF;
        -- The hold came in between: it is visible now.
    END LOOP;
    IF v_hold.user_id <> p_user THEN
        RETURN NULL;
    END IF;
    IF v_hold.state <> 'HELD' THEN
        RETURN v_hold.state;
    END IF;
    -- The account before the hold, like everybody else who takes both.
    PERFORM FROM public.accounts AS a WHERE a.id = v_hold.account_id FOR NO KEY UPDATE;
    UPDATE public.holds AS h SET state = 'RELEASED', resolved_at = p_now, reason = p_reason
    WHERE h.id = p_id AND h.state = 'HELD';
    IF FOUND THEN
        UPDATE public.accounts SET held = held - v_hold.amount, updated_at = p_now WHERE id = v_hold.account_id;
        RETURN 'RELEASED';
    END IF;
    RETURN (SELECT h.state FROM public.holds AS h WHERE h.id = p_id);
END
$$;
