# Every target installs what it needs first; `make help` explains them.

BOOT = python3 infra/local/bootstrap.py
FAMILIES = base auth google meta connector tools dashboard sandbox vps local dev
export PYTHONDONTWRITEBYTECODE =

.DEFAULT_GOAL := help
.PHONY: help up start stop status test test-timescale contract-tiktok images e2e-images e2e-faasd e2e-vps lint verify lock soak bench clean
.NOTPARALLEL:

help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo "Variables of the environment: ADLOOM_HOME (where a stack keeps its data, default .adloom), ADLOOM_PORT (its"
	@echo "front door, default a free one from 8080 on), ADLOOM_AUTOCONNECT=0 (connect no sandbox at the first start),"
	@echo "ADLOOM_META_APP_ID and ADLOOM_META_APP_SECRET (a real Meta app instead of the sandbox; likewise ADLOOM_TIKTOK_APP_..."
	@echo "and ADLOOM_GOOGLE_ADS_CLIENT_...)."

up: ## Run the whole stack in the foreground; Ctrl-C stops it
	@$(BOOT) local -- -m infra.local up

start: ## Start the whole stack in the background and return when everything answers
	@$(BOOT) local -- -m infra.local start

stop: ## Stop the stack; no process is left behind
	@$(BOOT) local -- -m infra.local stop

status: ## Show each part: state, process, port, memory, restarts
	@$(BOOT) local -- -m infra.local status

test: ## Run lint and every suite of tests, with the minutes of each
	@$(BOOT) dev --browser -- -m infra.local.suites

test-timescale: ## Run the integration tests on PostgreSQL 17 with TimescaleDB; preparing it needs root on Debian
	@$(BOOT) dev -- -m infra.local.suites timescale

e2e-images: ## Build every image and run the platform from them with podman; needs root on Debian
	@$(BOOT) dev -- -m pytest tests/images -q --durations=5

e2e-faasd: ## Deploy every function on faasd: OPENFAAS_BIN=<folder of its programs>; needs root on Debian
	@$(BOOT) dev -- -m tests.faasd

e2e-vps: ## Install a VPS in a fresh Debian 13 and try its units; needs root on Debian
	@$(BOOT) dev -- -m pytest tests/vps -q --durations=5

contract-tiktok: ## Read the sandbox's TikTok with its official SDK and Airbyte's connector, in venvs of their own
	@$(BOOT) dev -- -m tests.contract.tiktok_clients

images: ## Build the image of every function, dashboard, connector, tools and MinIO: ENGINE=podman, buildah or docker
	@$(BOOT) local -- -m infra.images build $(if $(ENGINE),--engine $(ENGINE))

lint: ## Check style, format, types and who imports whom
	@$(BOOT) dev -- -m infra.local.suites lint

verify: ## Sync a facts folder in a throwaway stack and compare every cell: FACTS=<folder>, KEEP=<folder> keeps the exports
	@$(BOOT) dev -- -m infra.local.verify "$(FACTS)" "$(KEEP)"

lock: ## Resolve the locked dependencies again: UPGRADE=1 takes newer versions
	@$(BOOT) dev
	@.venv/bin/uv pip compile --quiet shared/requirements/uv.in --universal --python-version 3.11 --generate-hashes \
		--no-header --no-annotate $(if $(UPGRADE),--upgrade) -o shared/requirements/uv.txt
	@for family in $(FAMILIES); do \
		echo "locking $$family"; \
		extra="--extra $$family"; [ $$family = base ] && extra=; \
		.venv/bin/uv pip compile --quiet shared/pyproject.toml $$extra --universal --python-version 3.11 \
			--generate-hashes --no-header --no-annotate $(if $(UPGRADE),--upgrade) \
			-o shared/requirements/$$family.txt || exit 1; \
	done

soak: ## Kill parts of the stack KILLS times (default 200), and sync 200 accounts for MINUTES (default 120)
	@$(BOOT) dev -- -m pytest tests/bench -m soak -q -s

bench: ## Measure start, sync and pages
	@$(BOOT) dev -- -m pytest tests/bench -m "not soak" -q -s

clean: ## Stop the stack and remove its data and what builds left; YES=1 where real platforms are connected
	@$(BOOT) local -- -m infra.local clean $(if $(YES),--yes)
	@rm -rf build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
