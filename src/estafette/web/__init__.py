"""The desks: pages made on the server, French first and English second, usable with a keyboard alone.

Read first: `desk` (session, language, forms, security headers: what every page shares), then one room per actor
(`platform`, `administration`), each with its own templates; `directory` is the portal's public page.

Invariants: no page holds a business decision; every form carries the session's own token; texts stand beside their use,
both languages together (`say("…", "…")`).

Deliberately absent: scripts. The pages work without any, and the content security policy allows none.
"""
