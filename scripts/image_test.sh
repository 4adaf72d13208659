#!/bin/sh
# `make image-test`: builds the image and looks whether it keeps what the README promises: packages
# of the lock, no root, no compiler, nothing written but in var, healthy, stopped without haste.
# Needs a Docker engine; another client than `docker` by DOCKER=podman.
set -eu
cd "$(dirname "$0")/.."
docker=${DOCKER:-docker}
image=key-handover-test
scratch=$(mktemp -d)
chmod 777 "$scratch"

clean_up() {
  $docker rm --force "$image-site" "$image-crm" >/dev/null 2>&1 || true
  rm -rf "$scratch"
}
trap clean_up EXIT

say() { printf '%s\n' "-- $*"; }
fail() {
  printf 'FAILED: %s\n' "$*" >&2
  $docker logs "$image-site" 2>&1 | tail -20 >&2 || true
  exit 1
}

cat >"$scratch/env" <<ENV
SECRET_KEY=image-test-0123456789abcdef0123456789abcdef0123456789abcdef
ALLOWED_HOSTS=localhost
SECURE_SSL_REDIRECT=false
MACROCRM_URL=http://127.0.0.1:18001
MACROCRM_DOMAIN=image.example
MACROCRM_APP_SECRET=example-secret
SUPPORT_PHONE=+7 800 000-00-00
METRICS_PATH=figures/
ENV
# As in production: nothing can be written but what the image says, nothing can be gained.
locked="--env-file $scratch/env --network host --read-only --tmpfs /tmp --cap-drop ALL
  --security-opt no-new-privileges --volume $image-var:/srv/key-handover/var"
inside() { $docker run --rm $locked "$image" "$@"; }

say "build"
$docker build --network host --tag "$image" .
$docker volume rm --force "$image-var" >/dev/null 2>&1 || true

say "packages of the lock"
inside python -m pip --no-cache-dir freeze --disable-pip-version-check >"$scratch/have"
while read -r package; do
  grep -qi "^$(printf %s "$package" | sed 's/\[[^]]*\]//; s/[-_.]/[-_.]/g') " requirements.txt ||
    fail "$package is not in the lock"
done <"$scratch/have"

say "no root, no compiler, nothing of tests"
[ "$(inside id -u)" = 10001 ] || fail "it runs as another user"
for program in gcc cc g++ make; do
  if inside sh -c "command -v $program" >/dev/null; then fail "$program is in the image"; fi
done
for folder in standin tests; do
  if inside test -e $folder; then fail "$folder is in the image"; fi
done

say "deployment checks, migrations"
$docker run --rm $locked --env SECURE_SSL_REDIRECT=true "$image" \
  python -W error manage.py check --deploy --fail-level WARNING
inside python manage.py migrate --noinput --verbosity 0

say "serve"
$docker run --detach --name "$image-crm" $locked --env DEBUG=true \
  --volume "$PWD/standin:/srv/key-handover/standin:ro" "$image" \
  python manage.py standin --port 18001 --domain image.example --secret example-secret >/dev/null
$docker run --detach --name "$image-site" $locked --env PORT=18000 \
  --health-interval 2s --stop-timeout 70 "$image" >/dev/null
waited=0
until [ "$($docker inspect --format '{{.State.Health.Status}}' "$image-site")" = healthy ]; do
  waited=$((waited + 1))
  [ "$waited" -le 60 ] || fail "it does not become healthy"
  sleep 1
done
page() { curl --silent --show-error --fail --max-time 30 "http://localhost:18000$1"; }
page /readyz/ | grep -q ready || fail "not ready"
page / | grep -q "Лесной квартал" || fail "no houses on the first page"
page /figures/ | grep -q handover_crm_calls_total || fail "no figures"
css=$(page / | grep -o '/static/css/site[^"]*' | head -1)
page "$css" >/dev/null || fail "no style sheet"

say "nothing written outside of var"
[ -z "$($docker diff "$image-site" | grep -v ' /tmp$' | grep -v ' /run' || true)" ] ||
  fail "it wrote: $($docker diff "$image-site")"

say "stop"
$docker stop --time 70 "$image-site" >/dev/null
[ "$($docker inspect --format '{{.State.ExitCode}}' "$image-site")" = 0 ] || fail "it did not end well"
say "the image keeps its promises: $($docker image inspect --format '{{.Size}}' "$image") bytes"
