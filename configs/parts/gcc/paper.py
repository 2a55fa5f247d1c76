# GCC as its paper has it, where the release differs: an image's neighbors are others, and so near by the angle between
# moving averages; both views are anchors and not compared with themselves; weights are those of the graph's Laplacian.
# The weight of the old value in the averages is ours: it gives them the age of the release's means of four.
model = dict(memory_decay=0.6, symmetric_weights=True, both_anchors=True, self_contrast=False)
hooks = dict(graph=dict(normalize=True, include_self=False))
