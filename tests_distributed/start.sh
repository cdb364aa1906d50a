#!/bin/sh
# Start one component: start.sh COMPONENT. All settings are in the environment.
# The component takes the place of this shell, so a signal to the process id reaches the component.
set -eu

# PostgreSQL refuses to run as root.
as_postgres() {
    if [ "$(id -u)" = 0 ]; then exec setpriv --reuid postgres --regid postgres --init-groups "$@"; else exec "$@"; fi
}

case "$1" in
postgres)
    PATH="$PATH:$(echo /usr/lib/postgresql/*/bin | tr ' ' ':')"
    [ -s "$PGDATA/PG_VERSION" ] || (as_postgres initdb --username postgres --auth trust --encoding UTF8 --no-sync)
    # a commit must outlast a crash: without a stored intent, a second try would dial again
    as_postgres postgres -k "$PGDATA" -c synchronous_commit=on -c max_connections=300
    ;;
redis) # the queue survives a restart
    exec redis-server --bind 127.0.0.1 --port "$REDIS_PORT" --dir "$REDIS_DATA" --appendonly yes --save ""
    ;;
emulator) exec "$PYTHON" -m airflow_provider_callapi.emulator --port "$EXCHANGE_PORT" --profile "$EXCHANGE_PROFILE" ;;
migration) exec "$PYTHON" -m airflow db migrate ;;
api-server) exec "$PYTHON" -m airflow api-server --host 127.0.0.1 --port "$API_PORT" --workers 1 ;;
dag-processor) exec "$PYTHON" -m airflow dag-processor ;;
scheduler) exec "$PYTHON" -m airflow scheduler --skip-serve-logs ;;
triggerer) exec "$PYTHON" -m airflow triggerer --skip-serve-logs ;;
worker)
    exec "$PYTHON" -m airflow celery worker --skip-serve-logs --celery-hostname "$HOST_NAME@%h" \
        --without-mingle --without-gossip
    ;;
*)
    echo "start.sh: no component $1" >&2
    exit 2
    ;;
esac
