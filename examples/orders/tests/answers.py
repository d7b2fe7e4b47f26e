"""How this framework's client asks, and gives what an answer holds."""


def ask(client, method, path, body=None):
    return client.request(method, path, json=body)


def data(response):
    return response.json()["data"]


def detail(response):
    return response.json()["detail"]
