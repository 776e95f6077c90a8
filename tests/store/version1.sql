-- What a server of schema version 1 wrote: its database, dumped.
BEGIN TRANSACTION;
CREATE TABLE audit (
    id      INTEGER PRIMARY KEY AUTOINCREMENT,
    at      REAL    NOT NULL,
    who     TEXT    NOT NULL,
    action  TEXT    NOT NULL,
    service TEXT    NOT NULL,
    probe   TEXT    NOT NULL,
    detail  TEXT    NOT NULL
);
INSERT INTO "audit" VALUES(1,1763900000.0,'user','place','shop','p1','{"id": "", "target": {"file": "shop/pricing.py", "line": 88}, "template": "\ud800 total={total}", "condition": "total > 100", "limits": {"hits": 100, "ttl_s": 604800, "rate_per_s": 50.0}, "capture": {"depth": 3, "items": 100, "text": 256}, "owner": "ada", "note": "why", "kind": "log"}');
INSERT INTO "audit" VALUES(2,1763900000.0,'user','place','shop','p2','{"id": "", "target": {"file": "app.py", "line": 3}, "template": "x={x}", "condition": null, "limits": {"hits": 2, "ttl_s": 604800, "rate_per_s": 50.0}, "capture": {"depth": 3, "items": 100, "text": 256}, "owner": "", "note": "", "kind": "log"}');
INSERT INTO "audit" VALUES(3,1763900000.0,'user','place','shop','p3','{"id": "", "target": {"file": "app.py", "line": 4}, "template": "gone", "condition": null, "limits": {"hits": 100, "ttl_s": 604800, "rate_per_s": 50.0}, "capture": {"depth": 3, "items": 100, "text": 256}, "owner": "", "note": "", "kind": "log"}');
INSERT INTO "audit" VALUES(4,1763900000.0,'server','expired','shop','p2','{"reason": "all of its 2 hits are captured"}');
INSERT INTO "audit" VALUES(5,1763900005.0,'user','removed','shop','p3','{"reason": "removed"}');
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
INSERT INTO "hits" VALUES(1,'shop',1,'i1',0,1763900000.0,202,'{"probe":"p1","instance":"i1","seq":0,"time":1763900000.5,"thread":"Main \udc80 Thread","file":"/srv/shop/pricing.py","line":88,"function":"quote","message":"\ud800 Total=0 \u00c4","values":{"total":0}}');
INSERT INTO "hits" VALUES(2,'shop',1,'i1',1,1763900000.0,202,'{"probe":"p1","instance":"i1","seq":1,"time":1763900001.5,"thread":"Main \udc80 Thread","file":"/srv/shop/pricing.py","line":88,"function":"quote","message":"\ud800 Total=1 \u00c4","values":{"total":1}}');
INSERT INTO "hits" VALUES(3,'shop',1,'i1',2,1763900000.0,202,'{"probe":"p1","instance":"i1","seq":2,"time":1763900002.5,"thread":"Main \udc80 Thread","file":"/srv/shop/pricing.py","line":88,"function":"quote","message":"\ud800 Total=2 \u00c4","values":{"total":2}}');
INSERT INTO "hits" VALUES(4,'shop',2,'i1',3,1763900000.0,144,'{"probe":"p2","instance":"i1","seq":3,"time":1763900010.5,"thread":"T","file":"app.py","line":3,"function":"f","message":"x=1","values":{"x":1}}');
INSERT INTO "hits" VALUES(5,'shop',2,'i1',4,1763900000.0,144,'{"probe":"p2","instance":"i1","seq":4,"time":1763900010.5,"thread":"T","file":"app.py","line":3,"function":"f","message":"x=1","values":{"x":1}}');
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
INSERT INTO "instances" VALUES('i1','shop',1763900000.0,1763900000.0,1763900005.0,5,5,0,'{"full": 2}','{}','{"id":"i1","service":"shop","pid":42,"host":"host","program":"app.py","python":"3.13.0","agent":"0.1.0","core":"pure","started_at":1.0}');
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
INSERT INTO "probes" VALUES(1,'shop','active','',1763900000.0,1764504800.0,NULL,100,3,0,'{"id": "", "target": {"file": "shop/pricing.py", "line": 88}, "template": "\ud800 total={total}", "condition": "total > 100", "limits": {"hits": 100, "ttl_s": 604800, "rate_per_s": 50.0}, "capture": {"depth": 3, "items": 100, "text": 256}, "owner": "ada", "note": "why", "kind": "log"}');
INSERT INTO "probes" VALUES(2,'shop','expired','all of its 2 hits are captured',1763900000.0,1764504800.0,1763900000.0,2,2,1,'{"id": "", "target": {"file": "app.py", "line": 3}, "template": "x={x}", "condition": null, "limits": {"hits": 2, "ttl_s": 604800, "rate_per_s": 50.0}, "capture": {"depth": 3, "items": 100, "text": 256}, "owner": "", "note": "", "kind": "log"}');
INSERT INTO "probes" VALUES(3,'shop','removed','removed',1763900000.0,1764504800.0,1763900005.0,100,0,0,'{"id": "", "target": {"file": "app.py", "line": 4}, "template": "gone", "condition": null, "limits": {"hits": 100, "ttl_s": 604800, "rate_per_s": 50.0}, "capture": {"depth": 3, "items": 100, "text": 256}, "owner": "", "note": "", "kind": "log"}');
CREATE TABLE states (
    probe       INTEGER NOT NULL REFERENCES probes (number) ON DELETE CASCADE,
    instance    TEXT    NOT NULL REFERENCES instances (id) ON DELETE CASCADE,
    reported_at REAL    NOT NULL,
    body        TEXT    NOT NULL,
    PRIMARY KEY (probe, instance)
) WITHOUT ROWID;
INSERT INTO "states" VALUES(1,'i1',1763900000.0,'{"probe": "p1", "status": "armed", "reason": "", "file": "/srv/shop/pricing.py", "line": 88, "source": "total = 1", "function": "quote", "fates": {"captured": 3}, "unknown": "", "cost_ns": 1000}');
CREATE TABLE trimmed (
    kind  TEXT    PRIMARY KEY,
    count INTEGER NOT NULL
);
CREATE INDEX probes_by_phase ON probes (phase, service);
CREATE INDEX instances_by_service ON instances (service);
CREATE INDEX states_by_instance ON states (instance);
CREATE INDEX hits_by_service ON hits (service, id);
CREATE INDEX hits_by_probe ON hits (probe, id);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('probes',3);
INSERT INTO "sqlite_sequence" VALUES('audit',5);
INSERT INTO "sqlite_sequence" VALUES('hits',5);
COMMIT;
PRAGMA application_id = 1279607108;
PRAGMA user_version = 1;
