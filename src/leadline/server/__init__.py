"""HTTP in front of `leadline.control`: decodes, authorises, calls, and writes the answer."""
