# BYOL + PCL of ProPos' comparison: ProtoNCE on the projections of BYOL, which comes before this part.
parts = ['pcl/terms']
model = dict(type='BYOLPCL')
hooks = dict(kmeans=None)
