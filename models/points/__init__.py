"""Hand-tuned points and the tests that they are made of: read, written, applied."""
