"""From an official sheet to Python: read it (`sheet`), parse its XPath (`xpath`), plan it (`guard`), write it (`emit`).

Nothing of a sheet is ever run as code: names become quoted strings, texts become literals, and only the constructs
that the emitter knows are written. What it does not know is refused with the assertion and the reason.
"""
