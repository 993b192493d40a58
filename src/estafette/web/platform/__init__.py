"""The desk of a company on its platform: deposit, read, answer, follow."""
