# make demo and make test do all the set-up themselves, saying first what they install.
.DEFAULT_GOAL := help
.PHONY: help build demo test bench crds deploy image clean

help: ## Shows this list
	@echo "make demo         a simulated factory, a broker and a gateway, until Ctrl-C"
	@echo "make demo FOR=30  the same for 30 s; exits 0 if devices were found, a wish was confirmed and telemetry arrived"
	@echo "make test         all tests"
	@echo "make bench        measurements, as ratios to a floor measured in the same run"
	@echo "make crds         writes Deploy/crds anew from the schemas in the sources"
	@echo "make deploy       writes Deploy/rendered and the chart's copies anew, and checks Deploy"
	@echo "make image        the container image, without a container engine: .build-image/selvedge-VERSION.tar"
	@echo "make build        the programs selvedge and selvedge-plant, in release"
	@echo "make clean        removes what was built"

build: ## Builds both programs in release
	@scripts/require.sh build
	swift build -c release --product selvedge
	swift build -c release --product selvedge-plant

demo: ## Runs the demo; FOR=30 checks itself and ends
	@FOR="$(FOR)" scripts/demo.sh

test: ## Builds and runs all tests
	@scripts/test.sh

bench: ## Prints the table of measurements
	@scripts/bench.sh

crds: ## Writes Deploy/crds anew from the schemas in the sources
	@scripts/write-crds.sh

deploy: ## Writes what is made of Deploy/kustomize and Deploy/crds anew, and checks all of Deploy
	@scripts/require.sh deploy
	@PATH="$$PWD/.build-venv/bin:$$PATH" scripts/check-deploy.py --write --self-test

image: ## Builds the gateway and packs it as an image, with its SBOM
	@scripts/require.sh build
	@scripts/image.sh

clean: ## Removes build products, not downloaded packages
	swift package clean
	rm -rf .build-venv
