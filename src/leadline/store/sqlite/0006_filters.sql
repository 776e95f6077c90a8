-- What hits are asked for by. `at` is the instance's own time of the hit; `said` is its message
-- without upper case, as UTF-8 in which a lone surrogate has its three bytes, so that bytes are
-- searched and nothing has to be decoded.
ALTER TABLE hits ADD COLUMN kind   TEXT NOT NULL DEFAULT 'log';
ALTER TABLE hits ADD COLUMN at     REAL NOT NULL DEFAULT 0;
ALTER TABLE hits ADD COLUMN thread TEXT NOT NULL DEFAULT '';
ALTER TABLE hits ADD COLUMN task   TEXT NOT NULL DEFAULT '';
ALTER TABLE hits ADD COLUMN trace  TEXT NOT NULL DEFAULT '';
ALTER TABLE hits ADD COLUMN said   BLOB NOT NULL DEFAULT x'';
UPDATE hits SET at = hit_time(body), thread = hit_thread(body), said = hit_said(body);
CREATE INDEX hits_by_trace ON hits (trace, id) WHERE trace != '';
