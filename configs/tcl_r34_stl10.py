# TCL on STL-10, 13,000 labelled images, at 224 pixels, ResNet-34.
# Quoted in ClusMatch's Table 1: NMI 0.799, ACC 0.868, ARI 0.757.
# tools/dist_train.sh configs/tcl_r34_stl10.py 4 --amp
data = 'data/stl10'
stages = dict(tcl=dict(parts=['tcl/r34']))
