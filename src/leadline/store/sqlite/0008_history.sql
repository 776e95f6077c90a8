-- The history of a probe: its entries of the audit log, asked for every two seconds by its page.
CREATE INDEX audit_by_probe ON audit (probe);
-- What else of it is chosen by; each of them has the rows of one value in the order of their ids.
CREATE INDEX audit_by_service ON audit (service);
CREATE INDEX audit_by_who ON audit (who);
CREATE INDEX audit_by_action ON audit (action);
