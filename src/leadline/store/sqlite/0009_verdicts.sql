-- What verifications said of candidates. `head` is what a list shows of one, `body` all of it,
-- both as ASCII JSON: captured text may hold lone surrogates. AUTOINCREMENT: an address of one
-- must never lead to another one.
CREATE TABLE verdicts (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    service     TEXT    NOT NULL,
    verdict     TEXT    NOT NULL,
    received_at REAL    NOT NULL,
    who         TEXT    NOT NULL,
    head        TEXT    NOT NULL,
    body        TEXT    NOT NULL
);
CREATE INDEX verdicts_by_service ON verdicts (service, id);
CREATE INDEX verdicts_by_verdict ON verdicts (verdict, id);
