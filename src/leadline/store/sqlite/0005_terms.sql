-- What a placing says beside the probe: which instances it is for, a canary's length, the set
-- that it is of; and how far its canary has come. All JSON but what is searched.
ALTER TABLE probes ADD COLUMN terms    TEXT NOT NULL DEFAULT '{}';
ALTER TABLE probes ADD COLUMN set_name TEXT NOT NULL DEFAULT '';
ALTER TABLE probes ADD COLUMN canary   TEXT;
