# The service alone: the packages of requirements/serve.lock, no compiler, no root, nothing written.
#   docker build --tag leadscore .
#   docker run --user "$(id -u)" --read-only --tmpfs /tmp --publish 127.0.0.1:8000:8000 \
#     --volume ./artifacts:/srv/artifacts:ro --volume ./secrets:/srv/secrets:ro leadscore
# The file of keys is its owner's alone, so the container runs as that owner. `make proof-image` builds and tries it.
FROM python:3.11-slim AS tracking
# compose.yaml's MLflow: the version that filed the runs
COPY requirements/dev.lock /tmp/dev.lock
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --require-hashes --requirement /tmp/dev.lock
# jobs of MLflow's own would take eight processes more, and nothing here asks for any
ENV PATH=/opt/venv/bin:$PATH MLFLOW_DISABLE_TELEMETRY=true MLFLOW_ALLOW_PICKLE_DESERIALIZATION=false \
    MLFLOW_SERVER_ENABLE_JOB_EXECUTION=false
EXPOSE 5000
ENTRYPOINT ["mlflow"]

FROM python:3.11-slim AS packages
COPY requirements/serve.lock /tmp/serve.lock
RUN python -m venv /opt/venv \
 && /opt/venv/bin/pip install --no-cache-dir --require-hashes --requirement /tmp/serve.lock

FROM python:3.11-slim
# LightGBM's OpenMP
RUN apt-get update && apt-get install --yes --no-install-recommends libgomp1 && rm -rf /var/lib/apt/lists/*
COPY --from=packages /opt/venv /opt/venv
WORKDIR /srv
COPY features features
COPY models models
COPY serving serving
COPY pipeline/__init__.py pipeline/__main__.py pipeline/errors.py pipeline/
COPY pipeline/cli pipeline/cli
RUN /opt/venv/bin/python -m compileall -q features models serving pipeline \
 && useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin leadscore
ENV PATH=/opt/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 \
    LEADSCORE_BUNDLE=/srv/artifacts/bundle LEADSCORE_KEYS=/srv/secrets/keys.json \
    LEADSCORE_HOST=0.0.0.0 LEADSCORE_PORT=8000
USER 10001
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s CMD ["python", "-c", \
  "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=2)"]
# exec form: SIGTERM and SIGHUP reach the service
ENTRYPOINT ["python", "-m", "pipeline", "serve"]
