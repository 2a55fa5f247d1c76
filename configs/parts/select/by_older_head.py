# A new linear head on the unit embedding of the base; labelled are the rows of which the base's own head is surest: those
# whose probabilities vary most.
parts = ['heads/linear']
model = dict(head=dict(normalize_input=True))
hooks = dict(select=dict(
    network='{on.model}', output='head_probs',
    selector=dict(_delete_=True, type='ProbabilityVariance', sigma='{share}')))
