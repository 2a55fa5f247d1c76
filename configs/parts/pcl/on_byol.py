# BYOL + PCL of ProPos' comparison: ProtoNCE on the projections of BYOL.
parts = ['byol/method', 'pcl/terms']
model = dict(type='BYOLPCL')
hooks = dict(kmeans=None)
