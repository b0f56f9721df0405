-- The id next to that of a statement line, so that lists, which go by ids, keep the order of posting.
CREATE FUNCTION public.id_beside(p_id uuid, p_step int) RETURNS uuid
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog AS $$
SELECT (left(p_id::text, 28) || lpad(to_hex(
    (('x' || right(p_id::text, 8))::bit(32)::bigint + p_step) & 4294967295
), 8, '0'))::uuid
$$;

-- The legs of new ledger transactions, and those that debts add to them; the clients' accounts are locked already.
--
-- Where a transaction that has a `receivable` takes more than is available, the missing part comes first, from what
-- the client owes then; where one leaves him with more than before, his debt is repaid last, as far as that goes.
-- Transaction by transaction in their order, since each finds what those before it have left.
CREATE FUNCTION public.ledger_debts(
    p_txs public.ledger_tx_request[], p_legs public.ledger_leg[], p_now timestamptz
)
RETURNS public.ledger_leg[]
LANGUAGE plpgsql
SET search_path = pg_catalog, public
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off
AS $$
DECLARE
    v_legs public.ledger_leg[] := p_legs;
    v_available jsonb := '{}';
    v_debts jsonb := '{}';
    v_move record;
    v_receivable record;
    v_left bigint;
    v_amount bigint;
    v_n int;
    v_line uuid;
BEGIN
    -- After all clients' accounts, and in order: nobody who waits for one of these holds another one.
    PERFORM FROM public.accounts AS r
    WHERE r.kind = 'receivable' AND (r.user_id, r.environment, r.currency) IN (
        SELECT a.user_id, a.environment, a.currency
        FROM unnest(p_legs) AS l JOIN public.accounts AS a ON a.id = l.account WHERE a.kind = 'client'
    )
    ORDER BY r.id FOR NO KEY UPDATE;

    FOR v_move IN
        SELECT l.tx, l.account, a.user_id, a.environment, a.currency, t.receivable, t.debtor,
            min(l.n) AS first_n, max(l.n) AS last_n, sum(l.amount)::bigint AS net,
            (array_agg(l.line_id ORDER BY l.n))[1] AS first_line,
            (array_agg(l.line_id ORDER BY l.n DESC))[1] AS last_line,
            a.balance - a.held - a.floor AS available,
            CASE WHEN t.hold_account = l.account THEN t.hold_amount ELSE 0 END AS freed
        FROM unnest(p_legs) AS l
        JOIN unnest(p_txs) AS t ON t.id = l.tx
        JOIN public.accounts AS a ON a.id = l.account AND a.kind = 'client'
        GROUP BY l.tx, l.account, a.id, t.receivable, t.debtor, t.hold_account, t.hold_amount
        ORDER BY min(l.n)
    LOOP
        v_left := coalesce((v_available ->> v_move.account::text)::bigint, v_move.available)
            + v_move.net + v_move.freed;
        SELECT r.id, coalesce((v_debts ->> r.id::text)::bigint, -r.balance) AS debt INTO v_receivable
        FROM public.accounts AS r
        WHERE r.user_id = v_move.user_id AND r.kind = 'receivable' AND r.environment = v_move.environment
            AND r.currency = v_move.currency;
        v_amount := 0;
        IF v_move.net < 0 AND v_left < 0 AND v_move.debtor = v_move.user_id THEN
            v_amount := least(-v_left, -v_move.net);
            IF v_receivable.id IS NULL THEN
                INSERT INTO public.accounts (id, kind, user_id, environment, currency, created_at, updated_at)
                VALUES (v_move.receivable, 'receivable', v_move.user_id, v_move.environment, v_move.currency, p_now,
                    p_now)
                ON CONFLICT DO NOTHING;
                SELECT r.id, -r.balance AS debt INTO v_receivable
                FROM public.accounts AS r WHERE r.id = v_move.receivable FOR NO KEY UPDATE;
            END IF;
            v_n := v_move.first_n - 2;
            v_line := public.id_beside(v_move.first_line, -1);
        ELSIF v_move.net > 0 AND v_left > 0 AND v_receivable.debt > 0 THEN
            v_amount := -least(v_left, v_receivable.debt);
            v_n := v_move.last_n + 1;
            v_line := public.id_beside(v_move.last_line, 1);
        END IF;
        IF v_amount <> 0 THEN
            v_left := v_left + v_amount;
            v_debts := v_debts || jsonb_build_object(v_receivable.id, v_receivable.debt + v_amount);
            v_legs := v_legs || ARRAY(
                SELECT l FROM jsonb_populate_recordset(NULL::public.ledger_leg, jsonb_build_array(
                    jsonb_build_object(
                        'n', v_n, 'tx', v_move.tx, 'account', v_move.account, 'kind', 'client',
                        'environment', v_move.environment, 'currency', v_move.currency, 'amount', v_amount,
                        'tx_type', 'ADJUSTMENT', 'line_id', v_line,
                        'metadata', jsonb_build_object(CASE WHEN v_amount > 0 THEN 'debt' ELSE 'debt_repaid' END, true)
                    ),
                    jsonb_build_object(
                        'n', v_n + 1, 'tx', v_move.tx, 'account', v_receivable.id, 'kind', 'receivable',
                        'environment', v_move.environment, 'currency', v_move.currency, 'amount', -v_amount,
                        'owner', v_move.user_id
                    )
                )) AS l
            );
        END IF;
        v_available := v_available || jsonb_build_object(v_move.account, v_left);
    END LOOP;

    -- Lines are numbered as they are posted.
    RETURN ARRAY(
        SELECT (l.n, l.tx, row_number() OVER (PARTITION BY l.tx ORDER BY l.n), l.environment, l.currency,
            l.account, l.kind, l.purpose, l.owner, l.amount, l.tx_type, l.line_id, l.reference,
            l.metadata)::public.ledger_leg
        FROM unnest(v_legs) AS l
    );
END
$$;
