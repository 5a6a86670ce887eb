# make exports variables of its command line (DATE=…) to the environment. The recipes read them from there, so that
# values may contain blanks and quotes, and variables that are not set are not passed.

PYTHON ?= python3
UV_VERSION := 0.13.9
SBOM_VERSION := 7.5.0
AUDIT_VERSION := 2.10.1

# A mistyped variable would leave its default in place: DTAE=2025-11-30 would make the report of the latest date.
KNOWN := DATE FROM TO INPUT NAME ANSWERS REPLACE PARAMS OUTPUT ENGINE PORT ROWS INPUTS FAULTS EXAMPLES RESEND RECORD PYTHON UPGRADE VENV SHELL $(shell sed -n 's/^\([A-Z_]*\)=.*/\1/p' .env.example)
UNKNOWN := $(firstword $(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(filter-out $(KNOWN),$(name)))))
NEAREST = $(shell $(PYTHON) -c 'import difflib, sys; name, *known = sys.argv[1:]; print(*difflib.get_close_matches( \
	name.upper(), known, 1, 0) or known)' $(UNKNOWN) $(KNOWN))
ifdef UNKNOWN
$(error $(UNKNOWN) is not a variable of this Makefile: did you mean $(NEAREST)? make help lists them)
endif

# A dollar in an answer, such as the heading "Balance $m", names no variable of make.
ifdef ANSWERS
override ANSWERS := $(value ANSWERS)
export ANSWERS
endif

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --no-input -qq
OPTIONS := $${INPUT:+--input "$$INPUT"} $${PARAMS:+--params "$$PARAMS"} \
	$${OUTPUT:+--output "$$OUTPUT"} $${ENGINE:+--engine "$$ENGINE"}

RUNNER := $(if $(filter spark,$(ENGINE)),spark,report)

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.SUFFIXES:
.PHONY: help report backfill check map verify upload email deliver serve sample test fuzz faults golden docs bench bench-quick screenshot lint lab clean sbom audit lock

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

report: $(VENV)/.$(RUNNER) ## the KPI report [DATE=2025-12-31 INPUT=… PARAMS=… OUTPUT=… ENGINE=duckdb|spark RESEND=1]
	@$(BIN)/abaco report $${DATE:+--date "$$DATE"} $${RESEND:+--resend} $(OPTIONS)

backfill: $(VENV)/.report ## a report for each date of the input between two dates [FROM=… TO=… and options as report]
	@$(BIN)/abaco backfill --from "$$FROM" --to "$$TO" $(OPTIONS)

check: $(VENV)/.report ## check an input and show what a report would do, without writing anything [DATE=… INPUT=… PARAMS=… OUTPUT=…]
	@$(BIN)/abaco check $${DATE:+--date "$$DATE"} $${INPUT:+--input "$$INPUT"} $${PARAMS:+--params "$$PARAMS"} $${OUTPUT:+--output "$$OUTPUT"}

map: $(VENV)/.report ## draft a mapping of a file that fits no known format [INPUT=… NAME=… ANSWERS="currency=INR; …" REPLACE=1 DATE=…]
	@$(BIN)/abaco map "$$INPUT" $${NAME:+--name "$$NAME"} $${ANSWERS:+--answers "$$ANSWERS"} $${REPLACE:+--replace} $${DATE:+--date "$$DATE"}

verify: $(VENV)/.$(RUNNER) ## run a finished date again and check that every figure and page is identical [DATE=… OUTPUT=… ENGINE=…]
	@$(BIN)/abaco verify $${DATE:+--date "$$DATE"} $${OUTPUT:+--output "$$OUTPUT"} $${ENGINE:+--engine "$$ENGINE"}

upload: $(VENV)/.report ## upload a finished report to Azure Blob again [DATE=… PARAMS=… OUTPUT=…]
	@$(BIN)/abaco upload --date "$$DATE" $${PARAMS:+--params "$$PARAMS"} $${OUTPUT:+--output "$$OUTPUT"}

email: $(VENV)/.report ## send a finished report by email again [DATE=… TO=… PARAMS=… OUTPUT=…]
	@$(BIN)/abaco email --date "$$DATE" $${TO:+--to "$$TO"} $${PARAMS:+--params "$$PARAMS"} $${OUTPUT:+--output "$$OUTPUT"}

deliver: $(VENV)/.report ## try pending deliveries now [PARAMS=… OUTPUT=…]
	@$(BIN)/abaco deliver --pending $${PARAMS:+--params "$$PARAMS"} $${OUTPUT:+--output "$$OUTPUT"}

serve: $(VENV)/.report ## the service: report pages, health, metrics, and the report every day [PORT=8000 PARAMS=… OUTPUT=…]
	@exec $(BIN)/abaco serve $${PORT:+--port "$$PORT"} $${PARAMS:+--params "$$PARAMS"} $${OUTPUT:+--output "$$OUTPUT"}

sample: $(VENV)/.report ## rebuild the synthetic sample, the same bytes every time [ROWS=… OUTPUT=…]
	@$(BIN)/abaco sample $${ROWS:+--rows "$$ROWS"} $${OUTPUT:+--output "$$OUTPUT"}

# Four processes on two cores, as many tests wait for a cluster or a slow server.
test: $(VENV)/.test ## all tests, including the golden notebooks (20 minutes on two cores)
	@sh tests/setup.sh
	@$(BIN)/pytest --quiet -rfEs --numprocesses 4 --dist loadscope --no-loadscope-reorder --nbval

INPUTS ?= 100000
FAULTS ?= 250
EXAMPLES ?= 500

fuzz: $(VENV)/.test ## try hostile inputs of every format, and many more books in property tests [INPUTS=100000 EXAMPLES=500]
	@$(BIN)/python -m tools.reliability inputs $(INPUTS)
	@ABACO_EXAMPLES=$(EXAMPLES) $(BIN)/pytest --quiet tests/kpis/test_properties.py

faults: $(VENV)/.test ## kill runs, fill the disk, damage files and race runs; writes docs/RELIABILITY.md, as fuzz does [FAULTS=250]
	@$(BIN)/python -m tools.reliability faults $(FAULTS)
	@$(BIN)/python -m tools.reliability bounded

golden: $(VENV)/.test ## rewrite the golden notebooks after an intended change
	@$(BIN)/python -m tools.golden

docs: $(VENV)/.report ## rewrite docs/KPIS.md from params/kpis.yml, and docs/TABLES.md from the code
	@$(BIN)/python -m tools.kpi_docs
	@$(BIN)/python -m tools.table_docs
	@$(BIN)/python -m tools.licences

bench: $(VENV)/.test ## measure time and memory against other tools, and write benchmarks/RESULTS.md (40 minutes)
	@$(BIN)/python -m benchmarks

bench-quick: $(VENV)/.test ## count what a report of the sample takes, against benchmarks/counts.json [RECORD=1 to record]
	@$(BIN)/python -m benchmarks.counts $(if $(RECORD),--record)

screenshot: $(VENV)/.test ## make the picture docs/report.png from the sample's report
	@sh tests/setup.sh
	@$(BIN)/python -m tools.screenshot

lint: $(VENV)/.test ## check style of code and notebooks, and imports between packages
	@$(BIN)/ruff check abaco benchmarks tests tools notebooks
	@$(BIN)/ruff format --check abaco benchmarks tests tools
	@$(BIN)/lint-imports --no-logo

lab: $(VENV)/.lab ## JupyterLab on notebooks/
	@JUPYTER_CONFIG_PATH="$(CURDIR)/tools$${JUPYTER_CONFIG_PATH:+:$$JUPYTER_CONFIG_PATH}" $(BIN)/jupyter lab notebooks/index.md

clean: ## remove reports/, logs/ and caches, never data/ or .venv
	@rm -rf reports logs dist .pytest_cache .ruff_cache
	@find . \( -path ./.git -o -path ./$(VENV) -o -path ./data \) -prune -o -type d \
		\( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +

# Set-up: requirements.lock has the packages of a report, requirements-EXTRA.lock those that an extra adds. Spark is published
# only as source: it is built with the setuptools in its lock, which is installed first.

SOURCE := requirements-spark.lock
BUILD_SPARK = sed -n '/^setuptools==/,/\# via/p' $(SOURCE) >$(VENV)/build.lock && \
	$(PIP) install --require-hashes --only-binary :all: -r $(VENV)/build.lock && \
	$(PIP) install --require-hashes --no-build-isolation --only-binary :all: --no-binary pyspark -r $(SOURCE)

$(VENV)/.report: requirements.lock
$(VENV)/.spark: requirements.lock requirements-spark.lock
$(VENV)/.test: requirements.lock requirements-test.lock requirements-spark.lock
$(VENV)/.lab: requirements.lock requirements-lab.lock

$(VENV)/.report $(VENV)/.spark $(VENV)/.test $(VENV)/.lab: pyproject.toml $(BIN)/python
	@echo "Setting up $(VENV) (about a minute) …"
	@$(BIN)/python -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV)
	@$(PIP) install --require-hashes --only-binary :all: $(patsubst %,-r %,$(filter-out $(SOURCE),$(filter %.lock,$^)))
	@$(if $(filter $(SOURCE),$^),$(BUILD_SPARK))
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $(VENV)/.report $@

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Error: Python 3.11 or \
	newer is needed, but $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo not there): install it, or name \
	one as in 'make report PYTHON=python3.12'" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "Error: $(PYTHON) has no venv module: install it \
	(on Debian and Ubuntu: apt install python3-venv), or name another Python with PYTHON=…" >&2; exit 1; }
	@$(PYTHON) -m venv --clear $(VENV)

# Direct versions come from pyproject.toml; UPGRADE=1 also upgrades the indirect ones. Wheels only, except for Spark.

COMPILE = sed -n 's/^requires = \["\(.*\)"\]$$/\1/p' pyproject.toml | $(BIN)/uv pip compile pyproject.toml - \
	$(if $(UPGRADE),--upgrade) --quiet --universal --python-version 3.11 --only-binary :all: \
	--no-binary pyspark --fork-strategy fewest --generate-hashes --no-emit-index-url --custom-compile-command "make lock"
ENTRY = /^[a-z0-9]/

sbom: $(VENV)/.report ## a bill of materials of the packages, with their licences, in dist/sbom.json
	@$(PIP) install uv==$(UV_VERSION)
	@mkdir -p dist
	@$(BIN)/uv --quiet tool run --from cyclonedx-bom==$(SBOM_VERSION) cyclonedx-py environment --pyproject pyproject.toml \
		--output-reproducible --output-file dist/sbom.json $(BIN)/python

audit: $(VENV)/.report ## compare the lock with the known weaknesses of packages; asks pypi.org, and fails where that does not answer
	@$(PIP) install uv==$(UV_VERSION)
	@$(BIN)/uv --quiet tool run --from pip-audit==$(AUDIT_VERSION) pip-audit --strict --disable-pip --requirement requirements.lock || \
		{ echo "Not audited: a package has a known weakness, or pypi.org does not answer, as the lines above say" >&2; exit 1; }

lock: $(BIN)/python ## compile the locks from pyproject.toml [UPGRADE=1]
	@$(PIP) install uv==$(UV_VERSION)
	@$(COMPILE) --output-file requirements.lock
	@sed "s/ ;[^\\\\]*//" requirements.lock >$(VENV)/versions.lock  # a marker there would split the resolution of an extra
	@for extra in lab spark test; do \
		full=$(VENV)/$$extra.lock && touch requirements-$$extra.lock && cp requirements-$$extra.lock $$full && \
		$(COMPILE) --extra $$extra --constraint $(VENV)/versions.lock --output-file $$full && \
		awk 'NR == FNR { if ($(ENTRY)) shared[$$0]; next } $(ENTRY) { keep = !($$0 in shared) } FNR < 3 || keep' \
			requirements.lock $$full >requirements-$$extra.lock || exit 1; \
	done
