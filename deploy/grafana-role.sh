#!/bin/sh
# Create the role by which Grafana reads PostgreSQL, and renew its password and grants; safe to repeat.
# It sees times, statuses and ids of all tenants, and nothing of commerces, users or contents. psql reads PGHOST, PGDATABASE and
# PGPASSWORD itself.
set -eu

psql -v ON_ERROR_STOP=1 -v password="${GRAFANA_DB_PASSWORD:?}" --username postgres <<'SQL'
SELECT 'CREATE ROLE grafana LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'grafana') \gexec
ALTER ROLE grafana PASSWORD :'password' CONNECTION LIMIT 5;
ALTER ROLE grafana SET default_transaction_read_only = on;
ALTER ROLE grafana SET statement_timeout = '5s';
GRANT pg_read_all_stats TO grafana;
GRANT CONNECT ON DATABASE :"DBNAME" TO grafana;
GRANT USAGE ON SCHEMA public TO grafana;
GRANT SELECT (tenant_id, status, channel, scheduled_at, due_at, created_at) ON scheduled_activities TO grafana;
GRANT SELECT (tenant_id, paused_at) ON tenant_pauses TO grafana;
GRANT SELECT (tenant_id, state, created_at) ON bulk_operations TO grafana;
DROP POLICY IF EXISTS dashboards ON scheduled_activities;
CREATE POLICY dashboards ON scheduled_activities FOR SELECT TO grafana USING (true);
DROP POLICY IF EXISTS dashboards ON tenant_pauses;
CREATE POLICY dashboards ON tenant_pauses FOR SELECT TO grafana USING (true);
DROP POLICY IF EXISTS dashboards ON bulk_operations;
CREATE POLICY dashboards ON bulk_operations FOR SELECT TO grafana USING (true);
SQL
