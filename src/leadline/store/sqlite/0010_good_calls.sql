-- Of the hits of a capture, those of calls that did not fail: room is kept for those that do, over
-- all instances.
ALTER TABLE probes ADD COLUMN good INTEGER NOT NULL DEFAULT 0;
