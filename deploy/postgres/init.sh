#!/bin/sh
# Runs once, when the image creates the cluster: for each service a database and two login roles. <service>_owner owns the
# schema and runs the migrations; <service>_app works with the rows, is no owner and cannot step past row-level security.
set -eu

for service in gateway sync materials reporting; do
  upper=$(printf %s "$service" | tr '[:lower:]' '[:upper:]')
  SERVICE=$service
  OWNER_PASSWORD=$(printenv "${upper}_OWNER_PASSWORD")
  APP_PASSWORD=$(printenv "${upper}_APP_PASSWORD")
  export SERVICE OWNER_PASSWORD APP_PASSWORD
  psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname "${POSTGRES_DB:-postgres}" <<'SQL'
\getenv service SERVICE
\getenv owner_password OWNER_PASSWORD
\getenv app_password APP_PASSWORD
SELECT format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD %L', role, password)
  FROM (VALUES (:'service' || '_owner', :'owner_password'), (:'service' || '_app', :'app_password')) AS r (role, password)
\gexec
SELECT format('CREATE DATABASE %I OWNER %I TEMPLATE template0', :'service', :'service' || '_owner') \gexec
SELECT format('REVOKE ALL ON DATABASE %I FROM PUBLIC', :'service') \gexec
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', :'service', :'service' || '_app') \gexec
SQL
done
