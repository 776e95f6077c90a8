-- The kill switches that are off now; an empty service is everything.
CREATE TABLE switches (
    service TEXT PRIMARY KEY,
    reason  TEXT NOT NULL,
    who     TEXT NOT NULL,
    since   REAL NOT NULL
);
