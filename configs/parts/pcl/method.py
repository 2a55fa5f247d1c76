# PCL as ProPos compares with it: ProtoNCE on MoCo in both directions, whose losses are averaged.
parts = ['moco/symmetric', 'pcl/terms']
network = dict(project=128)
model = dict(type='PCL', directions='mean')
