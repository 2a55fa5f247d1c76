# The cluster head of the base goes on, and labelled are the rows of which it is surest: those whose probabilities vary
# most.
model = dict(head=None)
hooks = dict(select=dict(
    output='head_probs', selector=dict(_delete_=True, type='ProbabilityVariance', sigma='{share}')))
