# SeCu on images in memory; batch norm over all processes.
parts = ['secu/method', 'views/secu']
sync_bn = 'torch'
