# leadscore. `make run` and `make test` are all that a newcomer needs.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA ?= ../shared/data
COMPILE = $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --no-annotate --no-header
export DVC_NO_ANALYTICS := true
export MLFLOW_DISABLE_TELEMETRY := true
export MLFLOW_ALLOW_PICKLE_DESERIALIZATION := false
export MLFLOW_SERVER_ENABLE_JOB_EXECUTION := false
unexport PYTHONDONTWRITEBYTECODE  # as images set it: each stage is a process, and would compile all that it imports

.PHONY: help run test ui serve bench bench-pipeline worlds examples proof-leaks proof-ask proof-refresh proof-serving proof-image lock clean

help:  ## list what can be made
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

run: $(VENV)/ready  ## run the pipeline on params.yaml and show the result
	@$(BIN)/dvc repro > /dev/null  # its chatter; --quiet would hide what is wrong with params.yaml or dvc.yaml, too
	@$(BIN)/leadscore show

test: $(VENV)/ready  ## lint, types and tests
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/pytest

ui: $(VENV)/ready  ## the runs in MLflow, on loopback
	$(BIN)/mlflow ui --backend-store-uri sqlite:///mlflow.db --host 127.0.0.1 --port 5000 --workers 1

proof-refresh: $(VENV)/ready  ## does the intercept refresh help where the rate moved, and only there? ten minutes
	$(BIN)/python -m benchmarks.refreshing

proof-serving: $(VENV)/ready  ## the slower proofs of the service: 1,000 leads, hundreds of damaged bundles, 20 stops
	PARITY_LEADS=1000 DAMAGED_BUNDLES=600 STOPS=20 $(BIN)/pytest -n 1 tests/serving/test_parity.py \
		tests/serving/test_store.py tests/serving/test_server.py

proof-image: $(VENV)/ready  ## build the image, serve the last run's bundle from it, reload it, stop it; needs Docker
	$(BIN)/python tests/serving/imaging.py

serve: $(VENV)/ready  ## the last run's model over HTTP, on loopback
	$(BIN)/leadscore serve

bench: $(VENV)/ready  ## timed comparisons, as ratios measured in one run
	$(BIN)/python -m benchmarks

bench-pipeline: $(VENV)/ready  ## the whole pipeline on two million events, by stage: minutes
	$(BIN)/python -m benchmarks.whole

worlds: $(VENV)/ready  ## the model against the exact truth in six imagined companies: half an hour
	$(BIN)/python -m benchmarks.worlds

examples: $(VENV)/ready  ## run the sets of examples/ and print their figures; one of them with NAME=cdnow
	@$(BIN)/python -m examples $(NAME) --data $(DATA)

proof-leaks: $(VENV)/ready  ## leak checks on larger honest companies: none may raise a false alarm
	PYTHONPATH="$(CURDIR):$(CURDIR)/tests" $(BIN)/python tests/pipeline/leaks/leaking.py

proof-ask: $(VENV)/ready  ## is the suggested question worth asking? hidden fields against the exact truth
	$(BIN)/python tests/pipeline/scoring/questioning.py build/ask

lock: $(VENV)/ready  ## resolve the dependencies again into hashed lock files that name no host
	$(COMPILE) requirements/bootstrap.in -o requirements/bootstrap.lock
	$(COMPILE) pyproject.toml --extra dev --extra serve -o requirements/dev.lock
	$(COMPILE) requirements/serve.in --constraints requirements/dev.lock -o requirements/serve.lock

$(VENV)/ready: requirements/dev.lock pyproject.toml
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bootstrap.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements/dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

clean:  ## remove what runs have made; the environment and the tracking store stay
	rm -rf data artifacts reports build/examples
