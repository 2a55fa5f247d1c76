# Softly whitened features of unit length, a component for 8 images and at most 64: state `width` and `embed` for fewer.
model = dict(base=None, backbone=dict(
    type='WhitenedFeatures', in_channels='{columns}', out_channels='{width}', features='{features}'))
network = dict(width=64, embed=64)
