# Any booster with a head of its own on the network of an earlier stage.
model = dict(base='{on.network}')
