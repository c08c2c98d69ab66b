"""All that a score needs in one folder, and how a request becomes an answer by it."""
