# PICI with a narrow transformer on 8 x 8 digits, patches of 2 pixels: minutes on one CPU thread.
parts = ['pici/method', 'views/affine_digits']
facts = dict(
    arch=dict(embed_dims='{width}', num_layers=3, num_heads=4, feedforward_channels=256),
    patch=2, mask=0.25, epochs=120, contrast=5, boost=110, val_interval=20, batch=128, lr=1e-3,
    view=[dict(type='BatchAffine', degrees=15, translate=(0.12, 0.12), scale=(0.85, 1.15), shear=(8, 8))])
network = dict(width=64, project=64)
model = dict(
    backbone=dict(in_channels=1),
    decoder=dict(in_channels=1, decoder_embed_dim=32, decoder_depth=1, decoder_num_heads=2))
