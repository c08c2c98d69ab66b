"""What is learned and how it is judged: pure functions of arrays."""
