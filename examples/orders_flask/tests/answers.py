"""How this framework's client asks, and gives what an answer holds."""


def ask(client, method, path, body=None):
    return client.open(path, method=method, json=body)


def data(response):
    return response.json["data"]


def detail(response):
    return response.json["detail"]
