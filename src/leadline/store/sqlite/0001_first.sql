-- The first schema.
--
-- What is searched, counted or joined is a column. Everything else travels as the wire's own
-- ASCII JSON in a `body`: captured text may hold lone surrogates, which a TEXT column cannot.
-- Times are seconds since 1970.

-- Probes stay after their end, so that ids are never used twice and late hits still belong
-- somewhere. The id that people see is 'p' and the number.
CREATE TABLE probes (
    number       INTEGER PRIMARY KEY AUTOINCREMENT,
    service      TEXT    NOT NULL,
    phase        TEXT    NOT NULL CHECK (phase IN ('active', 'expired', 'removed')),
    reason       TEXT    NOT NULL DEFAULT '',
    placed_at    REAL    NOT NULL,
    expires_at   REAL    NOT NULL,
    ended_at     REAL,
    max_hits     INTEGER NOT NULL,
    hits         INTEGER NOT NULL DEFAULT 0,    -- ever stored; retention does not lower it
    beyond_limit INTEGER NOT NULL DEFAULT 0,    -- came too late, not stored
    body         TEXT    NOT NULL
);
CREATE INDEX probes_by_phase ON probes (phase, service);

-- One row for each process that ever connected, or reported before it connected again.
CREATE TABLE instances (
    id         TEXT    PRIMARY KEY,
    service    TEXT    NOT NULL,
    first_seen REAL    NOT NULL,
    last_seen  REAL    NOT NULL,
    gone_at    REAL,
    last_seq   INTEGER NOT NULL DEFAULT -1,     -- so that a repeated hit is not refused twice
    hits       INTEGER NOT NULL DEFAULT 0,
    strays     INTEGER NOT NULL DEFAULT 0,      -- hits and states for probes we do not know
    dropped    TEXT    NOT NULL DEFAULT '{}',   -- by reason, since the process started
    faults     TEXT    NOT NULL DEFAULT '{}',
    body       TEXT    NOT NULL
);
CREATE INDEX instances_by_service ON instances (service);

-- The last word of each instance about each probe.
CREATE TABLE states (
    probe       INTEGER NOT NULL REFERENCES probes (number) ON DELETE CASCADE,
    instance    TEXT    NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    reported_at REAL    NOT NULL,
    body        TEXT    NOT NULL,
    PRIMARY KEY (probe, instance)
) WITHOUT ROWID;
CREATE INDEX states_by_instance ON states (instance);

-- AUTOINCREMENT: whoever reads on from a number must never meet that number again.
CREATE TABLE hits (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    service     TEXT    NOT NULL,
    probe       INTEGER NOT NULL,
    instance    TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    received_at REAL    NOT NULL,
    size        INTEGER NOT NULL,               -- characters of body, for the cap on their sum
    body        TEXT    NOT NULL,
    UNIQUE (instance, seq)                      -- a report that is posted twice counts once
);
CREATE INDEX hits_by_service ON hits (service, id);
CREATE INDEX hits_by_probe ON hits (probe, id);

-- Every change of a set of probes is a row here, so the row's id is also the revision.
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      REAL    NOT NULL,
    who     TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    service TEXT    NOT NULL,
    probe   TEXT    NOT NULL,
    detail  TEXT    NOT NULL
);

-- What retention deleted, by table.
CREATE TABLE trimmed (
    kind  TEXT    PRIMARY KEY,
    count INTEGER NOT NULL
);
