# The API, the worker and the migration are one image; docker-compose.yml names the command of each.
FROM python:3.13.16-slim-trixie AS packages
COPY deploy/requirements.lock /requirements.lock
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --no-deps --require-hashes -r /requirements.lock

FROM python:3.13.16-slim-trixie
LABEL org.opencontainers.image.title="scheduled-activities" \
    org.opencontainers.image.version="0.1.0" \
    org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin scheduler \
    && install --directory --owner 10001 --mode 0700 /development-key
COPY --from=packages /venv /venv
WORKDIR /app
COPY pyproject.toml settings.py logs.py worker.py operate.py ./
COPY workflows workflows
COPY db db
COPY runs runs
COPY activities_impl activities_impl
COPY api api
COPY traces traces
# The user below can't write bytecode: every start would compile our modules.
RUN /venv/bin/python -m compileall -q .
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    LISTEN_HOST=0.0.0.0
USER 10001
EXPOSE 8000
CMD ["python", "-m", "api.main"]
