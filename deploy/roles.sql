-- Create the roles of the service, and hand the database over to scheduler_owner. A superuser runs it in the service's
-- database; safe to repeat. It sets no passwords.
DO $$
DECLARE
    role text;
    found record;
BEGIN
    FOREACH role IN ARRAY ARRAY['scheduler_owner', 'scheduler_system', 'scheduler_api', 'scheduler_worker'] LOOP
        IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) THEN
            EXECUTE format('CREATE ROLE %I LOGIN', role);
        END IF;
        EXECUTE format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), role);
    END LOOP;
    EXECUTE format('ALTER DATABASE %I OWNER TO scheduler_owner', current_database());
    -- What an earlier version of the service has created under another role. An extension keeps its own.
    FOR found IN
        SELECT oid::regclass AS name FROM pg_class
        WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'v')
            AND relowner <> 'scheduler_owner'::regrole
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    LOOP
        EXECUTE format('ALTER TABLE %s OWNER TO scheduler_owner', found.name);
    END LOOP;
    FOR found IN
        SELECT oid::regprocedure AS name FROM pg_proc
        WHERE pronamespace = 'public'::regnamespace AND proowner <> 'scheduler_owner'::regrole
            AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    LOOP
        EXECUTE format('ALTER FUNCTION %s OWNER TO scheduler_owner', found.name);
    END LOOP;
END $$;
