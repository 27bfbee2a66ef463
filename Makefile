# Two commands set everything up: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check -q
INSTALLED := $(VENV)/installed

.PHONY: demo test lint docs sweep oracle bench bench-mutation bench-failing bench-advice clean

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# torch comes first and by its exact version: any other spelling pulls gigabytes of CUDA packages
$(INSTALLED): pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) install $$(grep '^torch==' constraints.txt)
	$(PIP) install -c constraints.txt -e '.[test,lint]'
	touch $@

demo: $(INSTALLED)
	$(BIN)/shapelint check fixtures/small_cnn.py:SmallCNN --input 1,3,32,32 || test $$? -eq 1
	$(BIN)/shapelint check fixtures/small_cnn.py:SmallCNN --input 1,3,64,64

test: $(VENV)/core
	$(BIN)/python -m pytest -n 2

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

docs: $(INSTALLED)
	$(BIN)/python -m docs.build

# public architectures: the packages pin other builds of torch, so they come without their requirements
$(VENV)/core: $(INSTALLED) tests/sweep/core.txt
	$(PIP) install -c constraints.txt -e '.[sweep]'
	$(PIP) install --no-deps -r tests/sweep/core.txt
	touch $@

$(VENV)/swept: $(VENV)/core tests/sweep/packages.txt
	$(PIP) install --no-deps -r tests/sweep/packages.txt
	touch $@

sweep: $(VENV)/swept
	$(BIN)/python -m tests.sweep.run $(ONLY)

COUNT ?= 10000
oracle: $(INSTALLED)
	$(BIN)/python -m tests.oracle.compare --count $(COUNT) --seed 1

bench: $(INSTALLED)
	$(BIN)/python -m benchmarks.startup
	$(BIN)/python -m benchmarks.reading

# a sample; the whole is --rejected 1000 --accepted 1000 --double 300
bench-mutation: $(VENV)/core
	$(BIN)/python -m benchmarks.mutation --rejected 120 --accepted 60 --double 20 --seconds 200

bench-failing: $(INSTALLED)
	$(BIN)/python -m benchmarks.failing

# a sample; the whole is --count 1000
bench-advice: $(VENV)/core
	$(BIN)/python -m benchmarks.advice --count 60

clean:
	rm -rf $(VENV) build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache
