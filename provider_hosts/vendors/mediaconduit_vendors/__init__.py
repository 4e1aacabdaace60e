"""Clients of AI vendors' APIs, one for each wire style, for providers that are thin.

    provider     what a vendor's provider subclasses: settings, the key, discovery, a call to its operation
    vendor       what there is to know of a vendor before talking to it
    kinds        models that are used alike: which operation does which of their capabilities

    api          requests: one pool, one gate, one retry budget for each vendor
    reply        answers while they come: events, lines, bytes, JSON, under a watch over the time they take
    limits       how fast a vendor lets us go
    retries      what is tried again
    failures     what a vendor says went wrong, as one of the closed list of reasons

    discovery    which models there are, asked once and again in the background
    prices       what they cost and hold, where the vendor does not say
    usage        what a call took

    content      parts of a request in the forms vendors take
    options      options under a vendor's names
    answer       a conversation's answer: whose pieces go into which output
    jobs         work a vendor does in the background

    openai, anthropic, gemini, elevenlabs, ollama, …    the wire styles
    testing      vendors made up, for tests

Edges translate: httpx2 stays in `api` and `reply`, a vendor's JSON in its wire style.
"""
