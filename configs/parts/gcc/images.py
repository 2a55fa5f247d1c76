# GCC as released, on any backbone: SimCLR's views without blur, no crop below a fifth of the image; images are enlarged
# to `zoom` pixels and their middle is cut out for evaluation.
parts = ['views/simclr', 'gcc/method', 'schedules/simclr']
facts = dict(epochs=1000, val_interval=50, least_area=0.2)
model = dict(data_preprocessor=dict(test=[
    dict(type='BatchResize', size='{zoom}'), dict(type='BatchCenterCrop', size='{size}')]))
