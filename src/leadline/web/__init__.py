"""The page: from what the use cases answer to HTML. One module for each view.

Nothing here knows the server or the database; `server.pages` asks the use cases and calls this.
"""
