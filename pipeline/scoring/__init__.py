"""The leads of today: scored, and whom to call, ask or look at again."""
