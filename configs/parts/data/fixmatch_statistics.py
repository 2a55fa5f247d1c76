# The mean and deviation that FixMatch and its successors take on CIFAR-10: not those of `data/cifar10`.
facts = dict(mean=[125.3, 123.0, 113.9], std=[63.0, 62.1, 66.7])
