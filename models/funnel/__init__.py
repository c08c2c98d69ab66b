"""What the company's own funnel shows of the way of its leads."""
