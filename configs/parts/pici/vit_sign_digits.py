# PICI with a narrow transformer on photographs of hands: a quarter of an hour on one CPU thread.
parts = ['pici/method', 'views/simclr']
facts = dict(
    arch=dict(embed_dims='{width}', num_layers=4, num_heads=4, feedforward_channels=384), patch=8, mask=0.25,
    epochs=200, contrast=3, boost=180, rate_warmup=5, val_interval=20, batch=64, lr=1e-3, least_area=0.4)
network = dict(width=96)
model = dict(temperature=0.2, decoder=dict(decoder_embed_dim=64, decoder_depth=1, decoder_num_heads=4))
param_scheduler = dict(
    type='WarmupCosineLR', total_epochs='{epochs}', warmup_epochs='{rate_warmup}', convert_to_iter_based=True)
metrics = dict(kmeans=dict(type='ClusteringMetric', source='kmeans'))
