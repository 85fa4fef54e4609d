# Every target sets up everything it needs in .venv on a fresh machine.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# What is tested: make test T=tests/format
T ?= tests
# A process on each core, of one thread; whoever is done takes over tests of another.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest --numprocesses logical --dist worksteal

.PHONY: demo check test bench thorough figures tables families notebooks fuzz soak smoke man docs wheel web-runtime

demo: $(VENV)/.installed
	$(BIN)/python benchmarks/demo.py

# While working: lint, types and the tests that take no second.
check: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) -m "not slow" $(T)

test: $(VENV)/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(PYTEST) --durations=10 $(T)

bench: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/kodak.py run

# Each rival at its best, too, which is slow.
thorough: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/kodak.py run --thorough

figures: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/kodak.py figures

# Those of the README and of the pages.
tables: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/kodak.py tables

families: $(VENV)/.installed-dev
	$(BIN)/python benchmarks/families_curves.py
	$(BIN)/python benchmarks/families.py
	$(BIN)/python benchmarks/families_figures.py

notebooks: $(VENV)/.installed-dev
	$(BIN)/jupyter-execute --inplace docs/notebooks/*.ipynb

smoke: $(VENV)/.installed-dev
	$(BIN)/latentcodec bench benchmarks/data/kodak --out build/smoke --fresh \
		--limit 3 --points 4 --timed-images 0 --sliders 1

# An hour of hostile input, and ten minutes of threads and processes at once.
fuzz: $(VENV)/.installed-dev
	$(BIN)/python -m tests.fuzz --seconds 3600

soak: $(VENV)/.installed-dev
	$(BIN)/python -m tests.soak --minutes 10

man: $(VENV)/.installed
	mkdir -p build
	$(BIN)/latentcodec man > build/latentcodec.1

docs: $(VENV)/.installed-dev
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict --quiet --config-file .mkdocs.yml

# Downloads ONNX Runtime Web, which `latentcodec web` lays out and wheels have.
web-runtime: $(VENV)/.installed-dev
	$(BIN)/python .ci/web_runtime.py

# An sdist, and the wheel built from it.
wheel: $(VENV)/.installed-dev web-runtime
	$(BIN)/python -m build --no-isolation

$(VENV)/.created:
	$(PYTHON) -m venv $(VENV)
	touch $@

# The constraints pin the torch release that this tree is tested with.
$(VENV)/.installed: $(VENV)/.created pyproject.toml .ci/constraints.txt
	$(BIN)/pip install --quiet --constraint .ci/constraints.txt --editable .
	touch $@

$(VENV)/.installed-dev: $(VENV)/.created pyproject.toml .ci/constraints.txt
	$(BIN)/pip install --quiet --constraint .ci/constraints.txt --editable '.[dev]'
	touch $@ $(VENV)/.installed
