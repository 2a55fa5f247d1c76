# Images that a list in a file names, in memory; whoever composes a stage states `files`, `root`, `size`, `num_clusters`.
parts = ['data/memory', 'views/normalise']
facts = dict(source=dict(type='ListedSource', root='{root}', files='{files}'), mean=[123.675, 116.28, 103.53],
             std=[58.395, 57.12, 57.375])
train_dataloader = dict(dataset=dict(size='{size}'))
val_dataloader = dict(dataset=dict(size='{size}'))
