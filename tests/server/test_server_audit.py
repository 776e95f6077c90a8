"""The audit log: every change, whose it was, and nothing that is not a change."""


def entries(server, query="limit=1000"):
    return server.request("GET", f"/v1/audit?{query}").json["entries"]


def test_every_change_is_there_with_who_and_what(own_server, instance, until):
    server = own_server().start()
    first = server.place("shop", note="why", canary={"seconds": 60})["id"]
    server.connect(instance("shop", "s1")).next()
    until(lambda: server.probe(first)["canary"]["instance"])
    short = server.place("shop", limits={"ttl_s": 0.05})["id"]
    until(lambda: server.probe(short)["status"] == "expired")
    server.request("PUT", "/v1/services/shop/sets/a", {"probes": []})  # changes nothing
    body = {"probes": [{"name": "n", "kind": "counter", "target": "app:main"}]}
    server.request("PUT", "/v1/services/shop/sets/a", body)
    server.request("POST", "/v1/services/mail/off", {"reason": "incident"})
    server.request("POST", "/v1/services/mail/on")
    server.request("DELETE", f"/v1/probes/{first}")
    seen = [(e["who"], e["action"], e["service"], e["probe"]) for e in entries(server)]
    assert seen == [
        ("user", "place", "shop", first),
        ("server", "canary", "shop", first),
        ("user", "place", "shop", short),
        ("server", "expired", "shop", short),
        ("user", "place", "shop", "p3"),
        ("user", "set", "shop", ""),
        ("user", "off", "mail", ""),
        ("user", "on", "mail", ""),
        ("user", "removed", "shop", first),
    ]
    placed = entries(server)[0]
    assert (placed["detail"]["note"], placed["detail"]["terms"]["canary_s"]) == ("why", 60.0)
    assert placed["at"] > 1_000_000_000


def test_older_pages_leave_nothing_out(server):
    for _ in range(7):
        server.place("paged")
    whole = entries(server)
    assert [e["id"] for e in whole] == sorted({e["id"] for e in whole})
    found, before = [], whole[-1]["id"] + 1
    while True:
        answer = server.request("GET", f"/v1/audit?limit=3&before={before}").json
        found = answer["entries"] + found
        if not answer["more"]:
            break
        assert len(answer["entries"]) == 3
        before = answer["entries"][0]["id"]
    assert found == whole


def test_what_cannot_be_asked_of_it(server):
    for query in ("limit=0", "limit=1001", "before=x", "after=1"):
        assert server.request("GET", f"/v1/audit?{query}").status == 400
    assert server.request("GET", f"/v1/audit?before={10**30}").status in (200, 400)
    assert server.request("GET", "/v1/audit?before=-5").json["entries"] == []
