# SPICE on ImageNet-Dogs at 224 pixels, whole protocol, as on ImageNet-10 but for K = 15, M = 8000 and MoCo's epochs.
# Table II, ImageNet-Dog: SPICE_s ACC 0.646, NMI 0.572, ARI 0.479; SPICE 0.675, 0.627, 0.526.
# tools/dist_train.sh configs/spice_r34_imagenet_dogs.py 4
_base_ = ['spice_r34_imagenet10.py']

dogs = dict(dataset=dict(source=dict(classes='imagenet_dogs')))
train_dataloader = dogs
val_dataloader = dogs
test_dataloader = dogs
evaluators = {'0': dict(num_clusters=15)}
stages = dict(
    moco=dict(options=dict(
        train_cfg=dict(max_epochs=3000),
        param_scheduler=dict(T_max=3000),
        val_evaluator=dict(num_clusters=15),
        test_evaluator=dict(num_clusters=15))),
    spice_self=dict(options=dict(
        model=dict(head=dict(head=dict(num_clusters=15))),
        train_dataloader=dict(sampler=dict(streams=dict(batch=dict(size=8000)))),
        val_evaluator=evaluators,
        test_evaluator=evaluators)),
    spice_joint=dict(options=dict(
        model=dict(head=dict(num_clusters=15), pseudo_label_loss=dict(num_clusters=15)),
        custom_hooks={'0': dict(
            selector=dict(num_clusters=15), source=dict(head=dict(head=dict(num_clusters=15))))},
        val_evaluator=evaluators,
        test_evaluator=evaluators)))
