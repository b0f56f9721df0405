-- What a trade was before it was voided, what affiliates earned from it, and two more copies that rates come from.
-- No trade could be CANCELLED before this, so the rows that are there agree with it as they are.

ALTER TABLE public.trades
    ADD COLUMN settled_status text,
    ADD COLUMN settled_payout bigint,
    ADD COLUMN void_reason text,
    ADD COLUMN voided_at timestamptz,
    ADD COLUMN voided_by uuid,
    ADD CONSTRAINT trades_voided CHECK (
        CASE
            WHEN status <> 'CANCELLED' THEN
                num_nonnulls(settled_status, settled_payout, void_reason, voided_at, voided_by) = 0
            ELSE
                num_nonnulls(void_reason, voided_at, voided_by, profit) = 4
                AND payout IS NULL
                AND profit = 0
                AND num_nonnulls(settled_status, settled_payout, reason)
                = CASE WHEN settled_status IS NULL THEN 0 ELSE 3 END
                AND CASE settled_status
                    WHEN 'WON' THEN settled_payout = potential_payout
                    WHEN 'LOST' THEN settled_payout = 0
                    WHEN 'CLOSED' THEN settled_payout >= 0
                    ELSE settled_status IS NULL
                END
        END
    );

CREATE INDEX trades_cancelled ON public.trades (id) WHERE status = 'CANCELLED';

-- An award counts once (sign 1) and is taken back once (sign -1), whatever is told how often in which order.
CREATE TABLE public.applied_awards (
    award_id uuid NOT NULL,
    sign smallint NOT NULL,
    trade_id uuid NOT NULL,
    amount bigint NOT NULL,
    PRIMARY KEY (award_id, sign),
    CONSTRAINT applied_awards_trade_id_fkey FOREIGN KEY (trade_id) REFERENCES public.trades (id),
    CONSTRAINT applied_awards_sign CHECK (sign IN (1, -1)),
    CONSTRAINT applied_awards_amount CHECK (amount > 0)
);

CREATE FUNCTION public.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: it only grows', TG_OP, TG_TABLE_NAME USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER applied_awards_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.applied_awards
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

CREATE TABLE public.code_copies (
    code_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    markup_percent numeric(5, 2),
    version bigint NOT NULL,
    PRIMARY KEY (code_id)
);

CREATE TABLE public.rule_copies (
    owner_id uuid NOT NULL,
    rule_id uuid NOT NULL,
    rule_version integer NOT NULL,
    markup_percent numeric(5, 2) NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (owner_id)
);
