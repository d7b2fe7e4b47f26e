"""However many orders there are: the user, his orders, and their items."""


def test_a_list_takes_three_statements(client, ann, make_order, queries):
    for _ in range(10):
        make_order()
    asking = client.as_user(ann)

    with queries.exactly(3):
        asking.get("/api/orders")


def test_no_order_loads_its_items_by_itself(client, ann, make_order, queries):
    for _ in range(10):
        make_order()
    asking = client.as_user(ann)

    with queries.no_n_plus_one():
        asking.get("/api/orders")
