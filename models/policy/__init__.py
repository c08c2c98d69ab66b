"""From a probability to a score, a grade, a route and an expected value."""
