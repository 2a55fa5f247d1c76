# What the release computes on several processes: prototypes' gradients of a process's own rows, which makes them 1 / W
# of the true ones, and clusters that are absent if the process has none of their rows, with a logit of -10.
model = dict(gather_grad='local', mask_scope='rank', absent_fill=-10)
