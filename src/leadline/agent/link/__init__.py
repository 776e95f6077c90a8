"""To and from the server: probes come in, hits go out, on two threads of our own."""
