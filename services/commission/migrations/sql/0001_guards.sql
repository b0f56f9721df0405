CREATE FUNCTION public.refuse_change() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% on % refused: what was decided is never changed, only reversed', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'insufficient_privilege';
END
$$;

CREATE TRIGGER awards_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.awards
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.decisions
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER rule_versions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON public.rule_versions
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();
CREATE TRIGGER rules_stay BEFORE DELETE OR TRUNCATE ON public.rules
    FOR EACH STATEMENT EXECUTE FUNCTION public.refuse_change();

-- A rule stays its owner's, and a change is its next version, in force later than the one before.
CREATE FUNCTION public.refuse_other_version() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'rule % goes from version % to the next and in no other way', OLD.id, OLD.version
        USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER rules_next_version BEFORE UPDATE ON public.rules
    FOR EACH ROW WHEN (
        (NEW.id, NEW.owner_id, NEW.created_at, NEW.version)
        IS DISTINCT FROM (OLD.id, OLD.owner_id, OLD.created_at, OLD.version + 1)
        OR NEW.updated_at <= OLD.updated_at
    ) EXECUTE FUNCTION public.refuse_other_version();

-- A user is referred once, before he exists here, and never later by somebody else.
CREATE FUNCTION public.refuse_other_referrer() RETURNS trigger
LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'user % has a referrer and keeps him', OLD.user_id USING ERRCODE = 'integrity_constraint_violation';
END
$$;

CREATE TRIGGER user_copies_referrer BEFORE UPDATE OF referrer_id ON public.user_copies
    FOR EACH ROW WHEN (OLD.referrer_id IS NOT NULL AND NEW.referrer_id IS DISTINCT FROM OLD.referrer_id)
    EXECUTE FUNCTION public.refuse_other_referrer();
