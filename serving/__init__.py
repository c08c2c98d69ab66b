"""The shell around the models for HTTP: settings, limits, security, one current model, answers."""
