"""What validated tables become: numbers, the kernel's records, its plan and features, and the examples learned from."""
