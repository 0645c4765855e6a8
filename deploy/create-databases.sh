#!/bin/sh
# Create the roles and databases of the service and of Temporal. The postgres image runs this once, on an empty volume.
set -eu

create() {
    role=$1 password=$2
    shift 2
    psql -v ON_ERROR_STOP=1 -v role="$role" -v password="$password" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE :"role" LOGIN PASSWORD :'password';
SQL
    for database in "$@"; do
        psql -v ON_ERROR_STOP=1 -v role="$role" -v database="$database" --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE DATABASE :"database" OWNER :"role";
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
SQL
    done
}

create scheduled_activities "$APP_DB_PASSWORD" scheduled_activities
create temporal "$TEMPORAL_DB_PASSWORD" temporal temporal_visibility
