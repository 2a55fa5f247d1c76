# MoCo v2 as ProPos compares with it: both views have queries and keys, the temperature is 1, and the key network with its
# projector is the result.
parts = ['moco/method']
facts = dict(queue=4096, decay=0.99)
network = dict(embed='{project}', project=256)
model = dict(temperature=1., directions='sum', deploy='key')
