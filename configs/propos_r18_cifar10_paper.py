# ProPos on CIFAR-10 with the paper's hyper-parameters: global batch 256, lr 0.05, constant decay 0.996.
# Table 6, ResNet-18, CIFAR-10: ACC 91.6 +- 0.4, NMI 85.1 +- 0.5, ARI 83.5 +- 0.7 (%).
# tools/dist_train.sh configs/propos_r18_cifar10_paper.py 4
_base_ = ['propos_r18_cifar10.py']

train_dataloader = dict(sampler=dict(streams=dict(batch=dict(size=256))))
optim_wrapper = dict(optimizer=dict(lr=0.05))
auto_scale_lr = dict(base_batch_size=256)
