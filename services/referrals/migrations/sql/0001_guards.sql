-- `uses` is the number of claims that stand. It is counted here, whoever writes a claim and however: an upsert that
-- meets a row of another transaction is the only one who knows what it has replaced.
CREATE FUNCTION public.count_uses() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    v_codes uuid[];
    v_moves bigint[];
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(code_id), array_agg(n) INTO v_codes, v_moves
        FROM (
            SELECT code_id, count(*) AS n FROM written WHERE state IN ('CLAIMED', 'CONFIRMED') GROUP BY code_id
        ) AS moves;
    ELSE
        SELECT array_agg(code_id), array_agg(n) INTO v_codes, v_moves
        FROM (
            SELECT code_id, sum(n) AS n
            FROM (
                SELECT code_id, 1 AS n FROM written WHERE state IN ('CLAIMED', 'CONFIRMED')
                UNION ALL
                SELECT code_id, -1 FROM replaced WHERE state IN ('CLAIMED', 'CONFIRMED')
            ) AS claims
            GROUP BY code_id HAVING sum(n) <> 0
        ) AS moves;
    END IF;
    -- In the order of ids: two batches that touch the same codes must not wait for each other.
    PERFORM 1 FROM public.referral_codes WHERE id = ANY (v_codes) ORDER BY id FOR NO KEY UPDATE;
    UPDATE public.referral_codes AS c SET uses = c.uses + m.n
    FROM unnest(v_codes, v_moves) AS m (id, n) WHERE c.id = m.id;
    RETURN NULL;
END
$$;

CREATE TRIGGER referrals_counted_in AFTER INSERT ON public.referrals REFERENCING NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION public.count_uses();
CREATE TRIGGER referrals_counted AFTER UPDATE ON public.referrals REFERENCING OLD TABLE AS replaced NEW TABLE AS written
    FOR EACH STATEMENT EXECUTE FUNCTION public.count_uses();

CREATE FUNCTION public.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: it stays as it is', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER referral_codes_counted BEFORE UPDATE OF uses ON public.referral_codes
    FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER referral_codes_identity BEFORE UPDATE OF id, code, kind, owner_id ON public.referral_codes
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER referral_codes_stay BEFORE DELETE OR TRUNCATE ON public.referral_codes
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

-- Referred once and never later; what has been awarded stays awarded.
CREATE TRIGGER referrals_final BEFORE UPDATE ON public.referrals FOR EACH ROW
    WHEN (
        OLD.referred_user_id <> NEW.referred_user_id
        OR OLD.commission_awarded AND NOT NEW.commission_awarded
        OR OLD.state = 'CONFIRMED' AND (OLD.state, OLD.code_id, OLD.owner_id, OLD.confirmed_at)
            IS DISTINCT FROM (NEW.state, NEW.code_id, NEW.owner_id, NEW.confirmed_at)
    )
    EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER referrals_stay BEFORE DELETE OR TRUNCATE ON public.referrals
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
