# PCL as ProPos' repository has it: the losses of both directions are added, prototypes are plain means of unit rows, and a
# row is compared with its own and 4096 that are drawn outside of the batch.
model = dict(directions='sum', draws=4096, unit_prototypes=False)
