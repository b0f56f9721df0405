CREATE FUNCTION public.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: entries are never changed, only reversed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER ledger_tx_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.ledger_tx
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER postings_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.postings
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

-- Postings point to accounts and holds stay for ever: a reference that is used once is used up.
CREATE TRIGGER accounts_stay BEFORE DELETE OR TRUNCATE ON public.accounts
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER holds_stay BEFORE DELETE OR TRUNCATE ON public.holds
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

-- What an account is never changes; what it is worth, only as far as its postings say.
CREATE FUNCTION public.refuse_other_account() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'account % cannot become another one', OLD.id USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER accounts_identity BEFORE UPDATE OF id, kind, purpose, environment, currency, user_id, account_type
    ON public.accounts FOR EACH ROW EXECUTE FUNCTION public.refuse_other_account();

CREATE FUNCTION public.refuse_finished_line() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'statement line % is % and stays as it is', OLD.id, OLD.status
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER transactions_finished BEFORE UPDATE OR DELETE ON public.transactions
    FOR EACH ROW WHEN (OLD.status <> 'PENDING') EXECUTE FUNCTION public.refuse_finished_line();
CREATE TRIGGER transactions_stay BEFORE TRUNCATE ON public.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

-- A ledger transaction is complete when the database transaction that began it ends: later postings are refused
-- even when they balance. This also is the foreign key to ledger_tx.
CREATE FUNCTION public.refuse_late_posting() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public AS $$
DECLARE
    v_now constant bigint := pg_current_xact_id()::text::bigint;
BEGIN
    IF EXISTS (
        SELECT FROM added AS p LEFT JOIN public.ledger_tx AS t ON t.id = p.tx_id
        WHERE t.xact IS DISTINCT FROM v_now OR p.xact <> v_now
    ) THEN
        RAISE EXCEPTION 'posting to a ledger transaction that is not of this database transaction'
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER postings_in_time AFTER INSERT ON public.postings REFERENCING NEW TABLE AS added
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_late_posting();

-- At commit: at least two postings, their sum is zero, every account exists and has the transaction's currency and
-- environment, and exactly the append-only accounts leave their postings without a number.
CREATE FUNCTION public.check_ledger_tx() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, public SET enable_seqscan = off AS $$
DECLARE
    v_tx uuid;
    v_right boolean;
BEGIN
    IF TG_TABLE_NAME = 'ledger_tx' THEN
        v_tx := NEW.id;
    ELSE
        v_tx := NEW.tx_id;
    END IF;
    SELECT count(*) >= 2
        AND sum(p.amount) = 0
        AND bool_and(a.currency = t.currency AND a.environment = t.environment)
        AND bool_and(a.append_only = (p.version IS NULL))
        AND count(*) = count(a.id)
    INTO v_right
    FROM public.ledger_tx AS t
    JOIN public.postings AS p ON p.tx_id = t.id
    LEFT JOIN public.accounts AS a ON a.id = p.account_id
    WHERE t.id = v_tx;
    IF v_right IS NOT TRUE THEN
        RAISE EXCEPTION 'ledger transaction % does not balance in one currency and environment', v_tx
            USING ERRCODE = 'integrity_constraint_violation';
    END IF;
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER ledger_tx_balanced AFTER INSERT ON public.ledger_tx
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_ledger_tx();
-- Once more with every posting, or SET CONSTRAINTS could have the check done before the last of them.
CREATE CONSTRAINT TRIGGER postings_balanced AFTER INSERT ON public.postings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION public.check_ledger_tx();
