"""What may grow, and how far: every bound of the program, with its unit and its reason.

Each has a test at the limit and one past it.
"""

FILE_BYTES_MAX = 100 * 1024 * 1024
"""A deposited file, 100 MB (BR-FR-19; external specifications v3.2, note 67)."""

FLOW_BYTES_MAX = 1024 * 1024 * 1024
"""An envelope on the wire, 1 GB (external specifications v3.2, §3.4.5)."""

FLOW_EXTRACTED_BYTES_MAX = 2 * 1024 * 1024 * 1024
"""All files of one envelope once extracted: a tar.gz that swells past it is a bomb (our bound)."""

FLOW_FILES_MAX = 10_000
"""Files in one envelope (our bound; the indicative lots of §3.4.6 stop at 2 000)."""

XML_DEPTH_MAX = 100
"""Nested elements in a document; the deepest official schema needs fewer than 20 (our bound)."""

XML_NODES_MAX = 2_000_000
"""Elements in a document: about 25 000 invoice lines (our bound, it also bounds memory and time)."""

PDF_ATTACHMENTS_MAX = 200
"""Files embedded in one PDF that are looked at (our bound)."""

PARCEL_BYTES_MAX = 105 * 1024 * 1024
"""What one actor sends another at once: one file of the largest, or many small ones, and their manifest (our bound)."""

MANIFEST_MESSAGES_MAX = 256
"""Messages in one parcel (our bound)."""

MANIFEST_BYTES_MAX = 1024 * 1024
"""The manifest of a parcel, read before its sender is known: as many messages with the longest names (our bound)."""

NUMBER_CHARACTERS_MAX = 40
"""Characters of a number in a document; the field's longest amount has 19 digits (our bound)."""

XML_ATTRIBUTES_MAX = 1_000_000
"""Attributes in a document, far above one for each element of any real invoice (our bound)."""

UNREAD_MAX = 500
"""Unread elements listed for one document; the original keeps them all (our bound)."""

RULE_EVALUATIONS_MAX = 20_000_000
"""Assertions that one pack may be asked of one document: about a minute, 200 000 invoice lines (our bound on time)."""

DRAFT_BYTES_MAX = 1024 * 1024
"""A draft of an invoice: about ten thousand lines (our bound)."""

DRAFT_DEPTH_MAX = 10
"""Nested lists and fields of a draft, which has three (our bound)."""

DIRECTORY_PAGE_MAX = 100
"""Entries in one page of a search of the directory: what must be accepted, more may be refused (XP Z12-013 §4.3)."""

DIRECTORY_SEARCH_BYTES_MAX = 64 * 1024
"""A search of the directory: a hundred times what its criteria need (our bound)."""

REPORTING_ROWS_MAX = 100_000
"""Rows of one file of unit records: a till's year of days, or a shop's day of tickets (our bound)."""

REPORTING_FILE_BYTES_MAX = 20 * 1024 * 1024
"""A file of unit records: two hundred characters a row (our bound)."""

REGISTRATION_BYTES_MAX = 256 * 1024
"""A file of the administration, registration or campaign: ten times what a form needs (our bound)."""

DESK_FORM_BYTES_MAX = 256 * 1024
"""A form of a desk without a file, its sender not known yet when it is read: ten times the longest (our bound)."""

REGISTRATION_FORM_BYTES_MAX = 4 * REGISTRATION_BYTES_MAX
"""A form with such a file in it: each byte may travel as three characters (our bound)."""

SIGN_IN_LOGIN_TRIES = 5
"""Wrong passwords of one login before each further one has to wait (our bound)."""

SIGN_IN_PEER_TRIES = 30
"""Wrong passwords from one address, which many people may share, before each further one has to wait (our bound)."""

SIGN_IN_WAIT_S_MAX = 300
"""The longest wait between two tries, in seconds: what keeps a guesser out must not keep a person out (our bound)."""

SIGN_IN_KEYS_MAX = 10_000
"""Logins, and addresses, whose failures are remembered at once (our bound on memory)."""

RATE_KEYS_MAX = 10_000
"""Clients whose rate of requests is remembered at once (our bound on memory)."""

PASSWORDS_AT_ONCE_MAX = 2
"""Passwords checked at the same time: each takes 64 MiB (our bound on memory)."""

KEY_OVERLAP_DAYS_MAX = 30
"""Days during which the key of a client that is being replaced may still be used (our bound)."""

ATTACHMENTS_MAX = 200
"""Documents joined to one invoice (our bound, that of the files embedded in a PDF)."""

ATTACHMENT_BYTES_MAX = FILE_BYTES_MAX
"""One document joined to an invoice, decoded: no more than the file that holds it (BR-FR-19 counts both together)."""

ARCHIVE_FILES_MAX = 1000
"""Files in one archive that a customer deposits (our bound; a lot of invoices at the portal stops there too)."""

ARCHIVE_EXTRACTED_BYTES_MAX = 1024 * 1024 * 1024
"""All files of one such archive once extracted: past it, it is a bomb (our bound)."""

FOLDER_FILES_MAX = 200
"""Files of one company looked at in one visit of its folder; the others wait for the next (our bound)."""

SFTP_CONNECTIONS_MAX = 100
"""Connections to the SFTP server of one actor at once (our bound)."""

SFTP_FILES_MAX = 1000
"""Files in one folder of an SFTP account: past it nothing more is put there until some are taken (our bound)."""

PASSWORD_CHARACTERS_MIN = 12
"""The least a password that people choose has (ANSSI, recommendations on passwords, 2021: 12 for a moderate risk)."""

PASSWORD_CHARACTERS_MAX = 200
"""The most that is read of a password (our bound)."""

OPENID_ATTEMPTS_MAX = 10_000
"""Sign-ins under way at a provider at once: beginning one needs no proof of anything (our bound)."""

OPENID_BYTES_MAX = 256 * 1024
"""An answer of a provider of OpenID Connect: its keys and tokens are a few thousand bytes (our bound)."""

FEED_LINE_BYTES_MAX = 16 * 1024 * 1024
"""One answer of the API Sirene on one line: of 1 000 entries it has about 3 MB (our bound)."""

FEED_ROW_BYTES_MAX = 64 * 1024
"""One row of a file of a feed: a hundred times what INSEE's have (our bound)."""

FEED_ANSWER_BYTES_MAX = 64 * 1024 * 1024
"""One answer of the API Sirene kept as a file, on several lines (our bound)."""

FEED_CHUNK_ROWS = 5_000
"""Rows of a feed written in one transaction: a tenth of a second, so that nobody else waits longer (our bound)."""
