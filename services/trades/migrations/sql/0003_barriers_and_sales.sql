-- What a trade needs to be more than Rise or Fall, and to be sold before its end. Rows that are there agree as they are.

ALTER TABLE public.trades
    ADD COLUMN barrier text,
    ADD COLUMN sold_commission numeric,
    DROP CONSTRAINT trades_contract_type,
    ADD CONSTRAINT trades_contract_type CHECK (
        (contract_type, direction) IN (('CALL', 'RISE'), ('PUT', 'FALL'), ('CALLE', 'RISE'), ('PUTE', 'FALL'))
    ),
    ADD CONSTRAINT trades_barrier CHECK (
        barrier IS NULL
        OR contract_type IN ('CALL', 'PUT')
        AND barrier ~ '^[+-]?(0|[1-9][0-9]{0,9})(\.[0-9]{1,8})?$'
    ),
    -- A sale falls after the entry and before the end, at a price that the market says.
    ADD CONSTRAINT trades_sold CHECK (
        CASE
            WHEN reason = 'sold' THEN
                coalesce(settled_status, status) = 'CLOSED'
                AND coalesce(settled_payout, payout) <= potential_payout
                AND num_nonnulls(entry_spot, exit_spot) = 2
                AND closed_at > starts_at
                AND closed_at < expires_at
            ELSE sold_commission IS NULL
        END
    );
