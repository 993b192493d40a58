"""The invoice: the semantic model of EN 16931 with the French extension, and the table of its terms."""
