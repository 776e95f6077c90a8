-- Probes of all kinds: a probe says when, at its place, it looks.
UPDATE probes SET body = json_insert(body, '$.moment', 'line');
