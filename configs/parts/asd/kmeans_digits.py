# K-means labels at the size of digits, with the views and the length of ASD there.
parts = ['nets/cnn_digits', 'asd/kmeans_labels', 'views/weak_strong_digits', 'schedules/fixmatch']
facts = dict(
    epochs=24, val_interval=8, length=50, lr=0.03, decay=0.99, unlabelled=280, map_interval=50,
    weak=[dict(type='BatchAffine', degrees=5, translate=(0.05, 0.05))],
    strong=[dict(type='BatchAffine', degrees=15, translate=(0.1, 0.1), scale=(0.85, 1.15), shear=(10, 10))])
