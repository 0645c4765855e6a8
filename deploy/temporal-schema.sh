#!/bin/sh
# Migrate the schemas of Temporal's two databases to this version. The tool reads SQL_PASSWORD itself.
set -eu

schema() {
    temporal-sql-tool --plugin postgres12 --endpoint postgres --port 5432 --user temporal --database "$1" "$2" "$3" "$4"
}

for pair in temporal:temporal temporal_visibility:visibility; do
    database=${pair%:*}
    versioned=/etc/temporal/schema/postgresql/v12/${pair#*:}/versioned
    # A database without a version can't be updated: it gets version 0.0 first.
    schema "$database" update-schema --schema-dir "$versioned" || {
        schema "$database" setup-schema --version 0.0
        schema "$database" update-schema --schema-dir "$versioned"
    }
done
