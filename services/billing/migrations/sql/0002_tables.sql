-- Real money: what a request of the ledger may say besides, whose first deposit which one was, and what a statement
-- line that waits keeps.

-- `completes`: the PENDING statement line that this transaction's leg on a client's account fulfils. `receivable`: the
-- account, of the user `debtor`, that takes what is missing on his client's account; without it nothing may be missing.
ALTER TYPE public.ledger_tx_request
    ADD ATTRIBUTE completes uuid,
    ADD ATTRIBUTE receivable uuid,
    ADD ATTRIBUTE debtor uuid;

-- The key says who was first, however many are completed at once. It stays when the deposit is reversed.
CREATE TABLE public.first_deposits (
    user_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    completed_at timestamptz NOT NULL,
    CONSTRAINT first_deposits_pkey PRIMARY KEY (user_id),
    CONSTRAINT first_deposits_transaction_id UNIQUE (transaction_id)
);

CREATE TRIGGER first_deposits_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.first_deposits
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

-- A line that waits may end one way or the other; what it is about stays as it was asked for.
CREATE TRIGGER transactions_identity
    BEFORE UPDATE OF id, user_id, account_id, tx_type, amount, currency, reference, created_at ON public.transactions
    FOR EACH ROW EXECUTE FUNCTION public.refuse_finished_line();
CREATE TRIGGER transactions_kept BEFORE DELETE ON public.transactions
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
