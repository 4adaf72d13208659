# The packages of the lock, byte for byte, in an environment of their own.
FROM python:3.13-slim AS packages
COPY requirements.txt /tmp/
RUN python3 -m venv /venv \
 && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: \
    --require-hashes -r /tmp/requirements.txt

FROM python:3.13-slim
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 PORT=8000
WORKDIR /srv/key-handover
RUN groupadd --gid 10001 site \
 && useradd --uid 10001 --gid site --no-create-home --home-dir /nonexistent --shell /usr/sbin/nologin site
COPY --from=packages /venv /venv
COPY . .
# The values only let Django load; none of them stays. `var` begins empty, and is the user's.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(50))')" \
    ALLOWED_HOSTS=build.invalid MACROCRM_DOMAIN=build.invalid MACROCRM_APP_SECRET=build \
    python manage.py collectstatic --noinput --verbosity 0 \
 && python -m compileall -q booking config \
 && rm -rf var && install -d -o site -g site -m 700 var
# All that is ever written: the SQLite file and the cache, unless both are elsewhere.
VOLUME /srv/key-handover/var
USER site
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s CMD ["python", "-m", "config.alive"]
CMD ["gunicorn", "config.wsgi"]
