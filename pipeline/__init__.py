"""The shell around features and models: parameters, tables, stages, tracking, commands."""
