#!/bin/sh
# Create the roles and databases of the service and of Temporal. The postgres image runs this once, on an empty volume.
set -eu

execute() {
    place=$1
    shift
    psql -v ON_ERROR_STOP=1 "$@" --username "$POSTGRES_USER" --dbname "$place"
}

create_database() {
    execute postgres -v database="$1" <<'SQL'
CREATE DATABASE :"database";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
}

set_password() {
    execute postgres -v role="$1" -v password="$2" <<'SQL'
ALTER ROLE :"role" PASSWORD :'password';
SQL
}

create_database scheduled_activities
execute scheduled_activities --file "$ROLES_SQL"
set_password scheduler_owner "$OWNER_DB_PASSWORD"
set_password scheduler_system "$SYSTEM_DB_PASSWORD"
set_password scheduler_api "$API_DB_PASSWORD"
set_password scheduler_worker "$WORKER_DB_PASSWORD"

execute postgres <<'SQL'
CREATE ROLE temporal LOGIN;
SQL
set_password temporal "$TEMPORAL_DB_PASSWORD"
for database in temporal temporal_visibility; do
    create_database "$database"
    execute postgres -v database="$database" <<'SQL'
ALTER DATABASE :"database" OWNER TO temporal;
SQL
done
