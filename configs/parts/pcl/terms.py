# The terms of PCL: k-means at several granularities every epoch once the warm-up is over, and ProtoNCE from then on.
facts = dict(warmup=50, proto_weight=0.01, granularities=[250, 500, 1000])
model = dict(granularities='{granularities}', bank=dict(_delete_=True, num_samples=None))
hooks = dict(
    proto_weight=dict(type='ScheduleHook', param='proto_weight', steps=[(0, 0.), ('{warmup}', '{proto_weight}')]),
    prototypes=dict(
        type='PrototypeHook', begin='{warmup}', interval=1, n_init=10, batch_size=512, num_workers=0))
