-- A checkpoint may be used when its transactions have all ended here: after a restore into a fresh cluster, whose
-- transaction numbers start again, the old ones may not.
CREATE VIEW public.account_balances AS
SELECT a.id AS account_id, CASE WHEN a.append_only THEN coalesce(c.balance, 0) + coalesce((
    SELECT sum(p.amount) FROM public.postings AS p
    WHERE p.account_id = a.id AND p.version IS NULL AND p.xact >= coalesce(c.upto, 0)
), 0)::bigint ELSE a.balance END AS balance
FROM public.accounts AS a
LEFT JOIN public.checkpoints AS c
    ON c.account_id = a.id AND c.upto <= pg_snapshot_xmin(pg_current_snapshot())::text::bigint;

-- Moves the checkpoints of append-only accounts up to the oldest transaction that is still running, so that no
-- posting can appear behind them later. Returns how many moved.
CREATE FUNCTION public.checkpoint_accounts(p_now timestamptz) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
WITH horizon AS (
    SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS upto
), tail AS (
    SELECT a.id, h.upto, coalesce(c.balance, 0) + sum(p.amount)::bigint AS balance
    FROM horizon AS h
    CROSS JOIN public.accounts AS a
    LEFT JOIN public.checkpoints AS c ON c.account_id = a.id AND c.upto <= h.upto
    JOIN public.postings AS p
        ON p.account_id = a.id AND p.version IS NULL AND p.xact >= coalesce(c.upto, 0) AND p.xact < h.upto
    WHERE a.append_only
    GROUP BY a.id, h.upto, c.balance
), moved AS (
    INSERT INTO public.checkpoints AS c (account_id, upto, balance, updated_at)
    SELECT t.id, t.upto, t.balance, p_now FROM tail AS t
    ON CONFLICT (account_id) DO UPDATE
    SET upto = excluded.upto, balance = excluded.balance, updated_at = excluded.updated_at
    RETURNING c.account_id
)
SELECT count(*) FROM moved
$$;
