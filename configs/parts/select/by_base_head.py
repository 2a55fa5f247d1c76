# A new linear head on the embedding of the base; labelled are the rows of which the base's own head is surest: those
# whose probabilities vary most.
parts = ['heads/linear']
hooks = dict(select=dict(
    output='head_probs', network='{on.model}',
    selector=dict(_delete_=True, type='ProbabilityVariance', sigma='{share}')))
