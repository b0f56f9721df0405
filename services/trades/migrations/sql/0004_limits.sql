-- Limits, halts, and what an account has staked, risks and has earned by UTC day. The days are counted from the trades
-- by the database itself, whichever path of whichever version changes them, so that none can be forgotten.

-- NULL: no limit. `staff` are the house's for this account, `self` are the trader's own, who can loosen them only after
-- a while: until then `pending` has what will be, by name.
CREATE TABLE public.account_limits (
    account_id uuid NOT NULL,
    set_by text NOT NULL,
    stake_min bigint,
    stake_max bigint,
    payout_max bigint,
    open_trades_max integer,
    stake_per_day bigint,
    loss_per_day bigint,
    stop_loss bigint,
    take_profit bigint,
    consecutive_losses integer,
    cool_down_seconds integer,
    pending jsonb DEFAULT '{}' NOT NULL,
    version integer NOT NULL,
    updated_by uuid NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (account_id, set_by),
    CONSTRAINT account_limits_whose CHECK (
        CASE set_by
            WHEN 'staff' THEN
                num_nonnulls(stop_loss, take_profit, consecutive_losses, cool_down_seconds) = 0 AND pending = '{}'
            WHEN 'self' THEN num_nonnulls(stake_min, payout_max) = 0
            ELSE false
        END
    ),
    CONSTRAINT account_limits_amounts CHECK (
        least(stake_min, stake_max, payout_max, stake_per_day, loss_per_day, stop_loss, take_profit) >= 0
        AND open_trades_max >= 0
    ),
    CONSTRAINT account_limits_cool_down CHECK (
        num_nonnulls(consecutive_losses, cool_down_seconds) <> 1
        AND consecutive_losses > 0
        AND cool_down_seconds > 0
    )
);

-- A trader who has shut himself out, of all his accounts. It ends by time alone.
CREATE TABLE public.self_exclusions (
    user_id uuid NOT NULL,
    until timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    PRIMARY KEY (user_id)
);

-- `symbol` is * for all of them.
CREATE TABLE public.halts (
    id uuid NOT NULL,
    symbol text NOT NULL,
    reason text NOT NULL,
    halted_by uuid NOT NULL,
    halted_at timestamptz NOT NULL,
    resumed_by uuid,
    resumed_at timestamptz,
    PRIMARY KEY (id),
    CONSTRAINT halts_resumed CHECK (num_nonnulls(resumed_by, resumed_at) <> 1)
);

CREATE UNIQUE INDEX halts_standing ON public.halts (symbol) WHERE resumed_at IS NULL;

-- Whether anything might limit an opening: then it is looked at closely. A function, so that its plans are kept.
CREATE FUNCTION public.is_limited(p_account_id uuid, p_user_id uuid, p_symbol text, p_now timestamptz) RETURNS boolean
LANGUAGE plpgsql STABLE AS $$
BEGIN
    RETURN EXISTS (SELECT FROM public.account_limits WHERE account_id = p_account_id)
        OR EXISTS (SELECT FROM public.self_exclusions WHERE user_id = p_user_id AND until > p_now)
        OR EXISTS (SELECT FROM public.halts WHERE resumed_at IS NULL AND symbol IN ('*', p_symbol));
END
$$;

-- The last results of an account, and those of one of its days.
CREATE INDEX trades_results ON public.trades (account_id, closed_at, id) WHERE status IN ('WON', 'LOST', 'CLOSED');

-- No CHECK: a wrong count must keep no trade from settling, and `verify` finds it.
CREATE TABLE public.account_days (
    account_id uuid NOT NULL,
    day date NOT NULL,
    user_id uuid NOT NULL,
    account_type text NOT NULL,
    currency text NOT NULL,
    staked bigint NOT NULL,
    open_trades integer NOT NULL,
    at_risk bigint NOT NULL,
    settled integer NOT NULL,
    won integer NOT NULL,
    lost integer NOT NULL,
    settled_stake bigint NOT NULL,
    settled_markup bigint NOT NULL,
    payout bigint NOT NULL,
    profit bigint NOT NULL,
    biggest_win bigint NOT NULL,
    biggest_loss bigint NOT NULL,
    PRIMARY KEY (account_id, day)
) WITH (fillfactor = 70);

CREATE INDEX account_days_of_user ON public.account_days (user_id, day);

-- What a trade counts for: stake and risk on the day on which it was asked for, its result on the day on which it was
-- closed. One that is REJECTED or CANCELLED counts for nothing.
CREATE FUNCTION public.trade_shares(
    p_status text, p_created_at timestamptz, p_closed_at timestamptz,
    p_stake bigint, p_markup bigint, p_held bigint, p_payout bigint, p_profit bigint
) RETURNS TABLE (
    day date, staked bigint, open_trades integer, at_risk bigint, settled integer, won integer, lost integer,
    settled_stake bigint, settled_markup bigint, payout bigint, profit bigint
)
LANGUAGE sql IMMUTABLE AS $$
    SELECT CAST(p_created_at AT TIME ZONE 'UTC' AS date), p_stake, CAST(p_status IN ('PENDING', 'OPEN') AS integer),
        CASE p_status WHEN 'PENDING' THEN p_held WHEN 'OPEN' THEN p_stake + p_markup ELSE 0 END,
        0, 0, 0, CAST(0 AS bigint), CAST(0 AS bigint), CAST(0 AS bigint), CAST(0 AS bigint)
    WHERE p_status NOT IN ('REJECTED', 'CANCELLED')
    UNION ALL
    SELECT CAST(p_closed_at AT TIME ZONE 'UTC' AS date), 0, 0, 0,
        1, CAST(p_profit > 0 AS integer), CAST(p_profit < 0 AS integer), p_stake, p_markup, p_payout, p_profit
    WHERE p_status IN ('WON', 'LOST', 'CLOSED') AND p_closed_at IS NOT NULL
$$;

CREATE FUNCTION public.count_asked_trade() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
BEGIN
    INSERT INTO public.account_days AS d
    SELECT NEW.account_id, s.day, NEW.user_id, NEW.account_type, NEW.currency, s.staked, s.open_trades, s.at_risk,
        0, 0, 0, 0, 0, 0, 0, 0, 0
    FROM public.trade_shares(
        NEW.status, NEW.created_at, NULL, NEW.stake, NEW.markup_applied, NEW.held, NULL, NULL
    ) AS s
    ON CONFLICT (account_id, day) DO UPDATE SET
        staked = d.staked + excluded.staked,
        open_trades = d.open_trades + excluded.open_trades,
        at_risk = d.at_risk + excluded.at_risk;
    RETURN NULL;
END
$$;

-- Whole statements at once, in the order of the days' keys, so that two batches cannot wait for each other.
CREATE FUNCTION public.count_changed_trades() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public AS $$
DECLARE
    v_changed boolean;
    v_undone boolean;
BEGIN
    -- That it has been bought, claimed or earned from changes nothing that is counted.
    SELECT count(*) > 0, bool_or(b.status IN ('WON', 'LOST', 'CLOSED')) INTO v_changed, v_undone
    FROM before AS b JOIN after AS a USING (id)
    WHERE (a.stake, a.markup_applied, a.held) <> (b.stake, b.markup_applied, b.held)
        OR a.status <> b.status AND NOT (a.status = 'OPEN' AND b.held = a.stake + a.markup_applied)
        OR a.profit <> b.profit;
    IF NOT v_changed THEN
        RETURN NULL;
    END IF;
    INSERT INTO public.account_days AS d
    SELECT t.account_id, s.day, t.user_id, t.account_type, t.currency,
        sum(t.sign * s.staked), sum(t.sign * s.open_trades), sum(t.sign * s.at_risk), sum(t.sign * s.settled),
        sum(t.sign * s.won), sum(t.sign * s.lost), sum(t.sign * s.settled_stake), sum(t.sign * s.settled_markup),
        sum(t.sign * s.payout), sum(t.sign * s.profit),
        greatest(max(s.profit) FILTER (WHERE t.sign > 0), 0), least(min(s.profit) FILTER (WHERE t.sign > 0), 0)
    FROM (SELECT 1 AS sign, * FROM after UNION ALL SELECT -1, * FROM before) AS t
    CROSS JOIN LATERAL public.trade_shares(
        t.status, t.created_at, t.closed_at, t.stake, t.markup_applied, t.held, t.payout, t.profit
    ) AS s
    GROUP BY t.account_id, s.day, t.user_id, t.account_type, t.currency
    ORDER BY t.account_id, s.day
    ON CONFLICT (account_id, day) DO UPDATE SET
        staked = d.staked + excluded.staked,
        open_trades = d.open_trades + excluded.open_trades,
        at_risk = d.at_risk + excluded.at_risk,
        settled = d.settled + excluded.settled,
        won = d.won + excluded.won,
        lost = d.lost + excluded.lost,
        settled_stake = d.settled_stake + excluded.settled_stake,
        settled_markup = d.settled_markup + excluded.settled_markup,
        payout = d.payout + excluded.payout,
        profit = d.profit + excluded.profit,
        biggest_win = greatest(d.biggest_win, excluded.biggest_win),
        biggest_loss = least(d.biggest_loss, excluded.biggest_loss);
    IF v_undone THEN
        -- What was the biggest may be no result any more: the day's other results say which one is.
        UPDATE public.account_days AS d
        SET biggest_win = greatest(r.win, 0), biggest_loss = least(r.loss, 0)
        FROM (
            SELECT DISTINCT account_id, CAST(closed_at AT TIME ZONE 'UTC' AS date) AS day
            FROM before WHERE status IN ('WON', 'LOST', 'CLOSED')
        ) AS b
        CROSS JOIN LATERAL (
            SELECT max(t.profit) AS win, min(t.profit) AS loss FROM public.trades AS t
            WHERE t.account_id = b.account_id AND t.status IN ('WON', 'LOST', 'CLOSED')
                AND t.closed_at >= CAST(b.day AS timestamp) AT TIME ZONE 'UTC'
                AND t.closed_at < CAST(b.day + 1 AS timestamp) AT TIME ZONE 'UTC'
        ) AS r
        WHERE d.account_id = b.account_id AND d.day = b.day;
    END IF;
    RETURN NULL;
END
$$;

CREATE TRIGGER trades_asked AFTER INSERT ON public.trades
    FOR EACH ROW WHEN (NEW.status <> 'REJECTED') EXECUTE FUNCTION public.count_asked_trade();
CREATE TRIGGER trades_changed AFTER UPDATE ON public.trades REFERENCING OLD TABLE AS before NEW TABLE AS after
    FOR EACH STATEMENT EXECUTE FUNCTION public.count_changed_trades();

-- Nobody else writes trades between the triggers and the end of this transaction.
INSERT INTO public.account_days
SELECT t.account_id, s.day, t.user_id, t.account_type, t.currency, sum(s.staked), sum(s.open_trades), sum(s.at_risk),
    sum(s.settled), sum(s.won), sum(s.lost), sum(s.settled_stake), sum(s.settled_markup), sum(s.payout), sum(s.profit),
    greatest(max(s.profit), 0), least(min(s.profit), 0)
FROM public.trades AS t
CROSS JOIN LATERAL public.trade_shares(
    t.status, t.created_at, t.closed_at, t.stake, t.markup_applied, t.held, t.payout, t.profit
) AS s
GROUP BY t.account_id, s.day, t.user_id, t.account_type, t.currency;
