-- Hits over time: all that they are counted by, so that no body is read for it.
CREATE INDEX hits_by_time ON hits (at, probe, service, instance, kind, thread, task);
