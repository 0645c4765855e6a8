# Each target calls one script that needs only Python 3.11 or newer. Without make: python3 -m embedded run
PYTHON ?= python3

.PHONY: help run test lint check generate clients demo executor executor-ts env token replay e2e chaos sbom bench bench-full bench-create bench-steps bench-bare bench-batch bench-cost bench-due bench-herd bench-sleepers bench-reading bench-claims bench-profile bench-cache bench-privacy bench-startup bench-neighbours
help:   ## List the targets
	@sed -n 's/^\([a-z0-9-]*\): *## /make \1	/p' Makefile | expand -t 18
run:    ## Start everything here: PostgreSQL, Temporal, worker and API
	@exec $(PYTHON) -m embedded run --stop-with-parent $(ARGS)
test:   ## Run the tests
	@exec $(PYTHON) -m embedded test $(ARGS)
lint:   ## Format, lint, types, import contracts
	@exec $(PYTHON) -m embedded lint
check:  ## Format, lint, types, import contracts, tests
	@exec $(PYTHON) -m embedded check $(ARGS)
demo:   ## Post an activity to the running stack and follow it until it is executed
	@exec $(PYTHON) -m embedded demo $(ARGS)
executor: ## Claim what becomes due in the running stack, and report its result; ARGS=--once
	@exec $(PYTHON) -m embedded executor $(ARGS)
executor-ts: ## The same in TypeScript; needs Node 20 or newer
	@exec $(PYTHON) -m embedded executor-ts $(ARGS)
env:    ## Print the running stack's addresses, ids and token as export lines
	@exec $(PYTHON) -m embedded env
token:  ## Print a token; see ARGS=--help
	@exec $(PYTHON) -m embedded token $(ARGS)
replay: ## Replay the server's runs on this code, and name those that deploying it would break
	@exec $(PYTHON) -m embedded replay $(ARGS)
generate: ## Write docs/openapi.json, and the clients that are generated from it
	@exec $(PYTHON) -m embedded generate
clients: ## Judge docs/openapi.json, and compile and use each client of it; needs Node 20 or newer
	@exec $(PYTHON) -m embedded clients $(ARGS)
e2e:    ## Test Temporal's web UI in a real browser; needs a Chromium on the PATH or CHROMIUM_PATH
	@exec $(PYTHON) -m embedded e2e $(ARGS)
chaos:  ## Kill, freeze and cut everything under load, then compare each answer with what is stored; see ARGS=--help
	@exec $(PYTHON) -m embedded chaos $(ARGS)
bench:  ## Measure speed, punctuality and cost, scaled down to minutes; one alone: make bench-create
	@exec $(PYTHON) -m embedded bench --page $(ARGS)
bench-full: ## Measure in full sizes, for hours
	@exec $(PYTHON) -m embedded bench --page --full $(ARGS)
sbom:   ## Print the packages of the image as CycloneDX; needs uv
	@exec uvx --quiet --from cyclonedx-bom==7.5.0 cyclonedx-py requirements --pyproject pyproject.toml --output-reproducible deploy/requirements.lock
BENCHMARKS = bench-create bench-steps bench-bare bench-batch bench-cost bench-due bench-herd bench-sleepers bench-reading bench-claims bench-profile bench-cache bench-privacy bench-startup bench-neighbours
$(BENCHMARKS): bench-%:
	@exec $(PYTHON) -m embedded bench $* $(ARGS)
