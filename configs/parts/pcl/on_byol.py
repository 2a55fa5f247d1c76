# BYOL + PCL of ProPos' comparison: ProtoNCE on the projections of BYOL, which comes before this part.
parts = ['pcl/terms']
model = dict(type='BYOLPCL', temperature=1.)
hooks = dict(kmeans=None)
