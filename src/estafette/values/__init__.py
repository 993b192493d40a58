"""Values every room speaks: identifiers, moments, limits, dated parameters of the law.

Read first: `limits` (what may grow, and how far) and `identifiers` (SIREN, SIRET, VAT numbers, addresses).
Deliberately absent: anything that reads a file, a socket, a clock or chance.
"""
