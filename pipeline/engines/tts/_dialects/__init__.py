"""Speech servers' dialects: which field of a request carries what, as data, one YAML file for each kind of server.

All of these servers have OpenAI's /v1/audio/speech, and no two of them the same fields. A dialect is found as a recipe
is: by name among those that lie here, or as a file of the user's. `dialect` reads them, `compose` fills them in.
"""
