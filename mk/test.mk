# Tests, lint, benchmarks.
