-- As before, and besides: a transaction may complete a PENDING statement line, which stays the line that it is; and
-- what its legs mean for debts is added to them (0002_ledger_debts.sql). Most have nothing to do with either.
--
-- Posts ledger transactions, all or none, each (kind, ref) once for ever, and frees the holds that they resolve.
--
-- Returns the statement lines, also those of transactions that were there already (their id is not the one that was
-- given); a transaction without any has one row without `line_id`. Raises NX001: the reference exists with other
-- contents; NX002: no such account; NX003: the hold has not come yet; NX004: the hold is resolved, or another one;
-- NX005: nothing there to reverse; NX006: no such PENDING line; check_violation of accounts_floor: not enough
-- money.
CREATE OR REPLACE FUNCTION public.ledger_post(p_txs jsonb, p_legs jsonb, p_now timestamptz)
RETURNS TABLE (
    tx_kind text, tx_ref text, ledger_tx_id uuid, line_id uuid, account_id uuid, user_id uuid,
    account_version bigint, tx_type text, amount bigint, balance_after bigint, reference text
)
LANGUAGE plpgsql SECURITY DEFINER
-- Plans are kept while the tables grow: one made for an empty table must not walk a full one.
SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
#variable_conflict use_column
DECLARE
    v_txs constant public.ledger_tx_request[] := ARRAY(
        SELECT t FROM jsonb_populate_recordset(NULL::public.ledger_tx_request, p_txs) AS t);
    v_legs public.ledger_leg[];
    v_is_reversing boolean;
    v_may_owe boolean;
    v_completed uuid[];
    v_new uuid[];
    v_reversing uuid[];
    v_locked uuid[];
    v_freed_accounts uuid[];
    v_freed bigint[];
    v_count bigint;
    v_culprit text;
BEGIN
    -- In order of reference, so that two batches that share references wait for each other one way only; of those that
    -- are in this one twice, the first.
    WITH inserted AS (
        INSERT INTO public.ledger_tx (id, kind, ref, request_hash, environment, currency, correlation_id, created_at)
        SELECT t.id, t.kind, t.ref, decode(t.hash, 'hex'), t.environment, t.currency, t.correlation_id, p_now
        FROM unnest(v_txs) AS t WHERE t.reverses_ref IS NULL ORDER BY t.kind, t.ref, t.id
        ON CONFLICT (kind, ref) DO NOTHING
        RETURNING id
    )
    SELECT coalesce(array_agg(id), '{}') INTO v_new FROM inserted;

    SELECT bool_or(t.reverses_ref IS NOT NULL), bool_or(t.receivable IS NOT NULL),
        coalesce(array_agg(t.completes) FILTER (WHERE t.completes IS NOT NULL), '{}')
    INTO v_is_reversing, v_may_owe, v_completed FROM unnest(v_txs) AS t;
    IF v_is_reversing THEN
        SELECT t.reverses_kind || ' ' || t.reverses_ref INTO v_culprit
        FROM unnest(v_txs) AS t LEFT JOIN public.ledger_tx AS o ON (o.kind, o.ref) = (t.reverses_kind, t.reverses_ref)
        WHERE t.reverses_ref IS NOT NULL AND o.id IS NULL LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'ledger transaction % is not there to be reversed', v_culprit USING ERRCODE = 'NX005';
        END IF;
        WITH inserted AS (
            INSERT INTO public.ledger_tx
                (id, kind, ref, request_hash, environment, currency, correlation_id, created_at, reverses)
            SELECT t.id, t.kind, t.ref, decode(t.hash, 'hex'), t.environment, t.currency, t.correlation_id, p_now, o.id
            FROM unnest(v_txs) AS t
            JOIN public.ledger_tx AS o ON (o.kind, o.ref) = (t.reverses_kind, t.reverses_ref)
            ORDER BY t.kind, t.ref, t.id
            ON CONFLICT (kind, ref) DO NOTHING
            RETURNING id
        )
        SELECT coalesce(array_agg(id), '{}') INTO v_reversing FROM inserted;
        v_new := v_new || v_reversing;
    END IF;

    IF cardinality(v_new) < cardinality(v_txs) THEN
        SELECT t.kind || ' ' || t.ref INTO v_culprit
        FROM unnest(v_txs) AS t JOIN public.ledger_tx AS l ON (l.kind, l.ref) = (t.kind, t.ref)
        WHERE l.request_hash <> decode(t.hash, 'hex') LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'ledger transaction % exists with other contents', v_culprit USING ERRCODE = 'NX001';
        END IF;
        RETURN QUERY
        SELECT l.kind, l.ref, l.id, x.id, x.account_id, x.user_id, p.version, x.tx_type, x.amount, x.balance_after,
            x.reference
        FROM unnest(v_txs) AS t
        JOIN public.ledger_tx AS l ON (l.kind, l.ref) = (t.kind, t.ref)
        JOIN public.postings AS p ON p.tx_id = l.id
        LEFT JOIN public.transactions AS x ON x.ledger_tx_id = p.tx_id AND x.line = p.line
        WHERE l.id <> ALL (v_new) AND (x.id IS NOT NULL OR p.line = 1)
        ORDER BY l.kind, l.ref, p.line;
        IF v_new = '{}' THEN
            RETURN;
        END IF;
    END IF;

    v_legs := ARRAY(
        SELECT l FROM jsonb_populate_recordset(NULL::public.ledger_leg, p_legs) AS l WHERE l.tx = ANY (v_new));

    -- Of any kind: the one that was a moment faster is also the only one of its purpose.
    INSERT INTO public.accounts (id, kind, purpose, user_id, environment, currency, created_at, updated_at)
    SELECT DISTINCT ON (l.account) l.account, l.kind, l.purpose, l.owner, l.environment, l.currency, p_now, p_now
    FROM unnest(v_legs) AS l
    WHERE l.kind <> 'client' AND NOT EXISTS (SELECT FROM public.accounts AS a WHERE a.id = l.account)
    ORDER BY l.account
    ON CONFLICT DO NOTHING;

    v_locked := ARRAY(SELECT DISTINCT l.account FROM unnest(v_legs) AS l WHERE l.kind IN ('client', 'receivable'));
    PERFORM FROM public.accounts AS a WHERE a.id = ANY (v_locked) AND NOT a.append_only ORDER BY a.kind, a.id
    FOR NO KEY UPDATE;
    GET DIAGNOSTICS v_count = ROW_COUNT;
    IF v_count <> cardinality(v_locked) THEN
        RAISE EXCEPTION 'no such account among %', v_locked USING ERRCODE = 'NX002';
    END IF;

    WITH resolved AS (
        UPDATE public.holds AS h SET state = 'SETTLED', resolved_at = p_now, reason = t.kind
        FROM unnest(v_txs) AS t
        WHERE h.id = t.hold AND t.id = ANY (v_new) AND t.hold_account = ANY (v_locked)
            AND h.state = 'HELD' AND h.account_id = t.hold_account AND h.amount = t.hold_amount
        RETURNING h.account_id, h.amount
    )
    SELECT array_agg(account_id), array_agg(amount), count(*) INTO v_freed_accounts, v_freed, v_count FROM resolved;
    IF v_count <> (SELECT count(t.hold) FROM unnest(v_txs) AS t WHERE t.id = ANY (v_new)) THEN
        SELECT t.hold INTO v_culprit FROM unnest(v_txs) AS t LEFT JOIN public.holds AS h ON h.id = t.hold
        WHERE t.hold IS NOT NULL AND t.id = ANY (v_new) AND h.id IS NULL LIMIT 1;
        IF FOUND THEN
            RAISE EXCEPTION 'hold % has not come yet', v_culprit USING ERRCODE = 'NX003';
        END IF;
        RAISE EXCEPTION 'a hold of this batch is resolved already, or has another account or amount'
            USING ERRCODE = 'NX004';
    END IF;

    -- By the index of receivables: one of debts would have every change of any balance change an index.
    IF v_may_owe OR EXISTS (
        SELECT FROM public.accounts AS a
        JOIN public.accounts AS r ON (r.user_id, r.kind, r.environment, r.currency)
            = (a.user_id, 'receivable', a.environment, a.currency)
        WHERE a.id = ANY (v_locked) AND r.balance < 0
    ) THEN
        v_legs := public.ledger_debts(v_txs, v_legs, p_now);
    END IF;

    RETURN QUERY
    WITH leg AS MATERIALIZED (
        SELECT l.*, a.kind AS account_kind, a.user_id, NOT a.append_only AS numbered,
            a.version + row_number() OVER one AS version_after,
            a.balance + (sum(l.amount) OVER one)::bigint AS balance_after
        FROM unnest(v_legs) AS l JOIN public.accounts AS a ON a.id = l.account
        WINDOW one AS (PARTITION BY l.account ORDER BY l.n ROWS UNBOUNDED PRECEDING)
    ), posted AS (
        INSERT INTO public.postings (tx_id, line, account_id, amount, balance_after, version)
        SELECT l.tx, l.line, l.account, l.amount,
            CASE WHEN l.numbered THEN l.balance_after END, CASE WHEN l.numbered THEN l.version_after END
        FROM leg AS l
    ), moved AS (
        UPDATE public.accounts AS a
        SET balance = a.balance + m.amount, version = a.version + m.postings, held = a.held - m.freed, updated_at = p_now
        FROM (
            SELECT l.account, sum(l.amount)::bigint AS amount, count(*) AS postings, coalesce((
                SELECT sum(f.amount) FROM unnest(v_freed_accounts, v_freed) AS f (account, amount)
                WHERE f.account = l.account
            ), 0)::bigint AS freed
            FROM leg AS l WHERE l.numbered GROUP BY l.account
        ) AS m
        WHERE a.id = m.account
    ), written AS (
        INSERT INTO public.transactions (
            id, user_id, account_id, tx_type, amount, currency, reference, status, balance_after, metadata,
            ledger_tx_id, line, created_at
        )
        SELECT l.line_id, l.user_id, l.account, l.tx_type, l.amount, l.currency, l.reference, 'COMPLETED',
            l.balance_after, coalesce(l.metadata, '{}'), l.tx, l.line, p_now
        FROM leg AS l WHERE l.account_kind = 'client' AND l.line_id <> ALL (v_completed)
    )
    SELECT t.kind, t.ref, t.id, CASE WHEN l.account_kind = 'client' THEN l.line_id END, l.account, l.user_id,
        l.version_after, l.tx_type, l.amount, l.balance_after, l.reference
    FROM leg AS l JOIN public.ledger_tx AS t ON t.id = l.tx
    WHERE l.account_kind = 'client' OR l.line = 1
    ORDER BY l.n;

    IF v_completed <> '{}' THEN
        UPDATE public.transactions AS x
        SET status = 'COMPLETED', balance_after = p.balance_after, ledger_tx_id = p.tx_id, line = p.line
        FROM unnest(v_legs) AS l JOIN public.postings AS p ON (p.tx_id, p.line) = (l.tx, l.line)
        WHERE x.id = l.line_id AND x.id = ANY (v_completed) AND x.status = 'PENDING'
            AND (x.account_id, x.tx_type, x.amount) = (l.account, l.tx_type, l.amount);
        GET DIAGNOSTICS v_count = ROW_COUNT;
        IF v_count <> (SELECT count(*) FROM unnest(v_legs) AS l WHERE l.line_id = ANY (v_completed)) THEN
            RAISE EXCEPTION 'no such PENDING line among %', v_completed USING ERRCODE = 'NX006';
        END IF;
    END IF;
END
$$;
