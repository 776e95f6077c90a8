"""From `file:line` to code objects: what is loaded, what is running, what will be imported."""
