"""Sets of leads to try the pipeline on: real ones, and made-up ones whose truth is known."""
