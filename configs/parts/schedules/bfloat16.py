# Training and evaluation in bfloat16, as `--amp` asks for on the command line.
optim_wrapper = dict(type='AutocastOptimWrapper', dtype='bfloat16')
