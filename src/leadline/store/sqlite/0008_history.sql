-- The history of a probe: its entries of the audit log, asked for every two seconds by its page.
CREATE INDEX audit_by_probe ON audit (probe);
