# A booster on any base: the rows that a selection trusts are labelled, `share` of the data set. A part of losses says
# with which loss, a part of selections which rows.
parts = ['boosters/learner', 'boosters/on_base']
facts = dict(epochs=64, val_interval=8, lr=0.02, share=0.1)
hooks = dict(select=dict(type='SelectHook'))
