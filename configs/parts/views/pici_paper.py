# A weak and a strong view, as the text of PICI's paper has them.
parts = ['views/pici_workers']
train_dataloader = dict(dataset=dict(pipelines=dict(batch=['{test_view}', '{strong}'])))
