-- What probes that add up sent: one row for about a second of one probe in one instance. `time`
-- is the end of that second on the instance's clock.
CREATE TABLE points (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    service     TEXT    NOT NULL,
    probe       INTEGER NOT NULL,
    instance    TEXT    NOT NULL,
    seq         INTEGER NOT NULL,
    time        REAL    NOT NULL,
    received_at REAL    NOT NULL,
    size        INTEGER NOT NULL,               -- characters of body
    body        TEXT    NOT NULL,
    UNIQUE (instance, seq)                      -- a report that is posted twice counts once
);
CREATE INDEX points_by_probe ON points (probe, time);

-- The sum of all points that a probe ever had, those that retention deleted included.
CREATE TABLE totals (
    probe INTEGER PRIMARY KEY REFERENCES probes (number) ON DELETE CASCADE,
    body  TEXT NOT NULL
);
