# TCL's views at 224 pixels of images of any size in memory; for evaluation the middle of 256 pixels.
parts = ['views/tcl']
facts = dict(still=[dict(type='BatchResize', size=256), dict(type='BatchCenterCrop', size='{size}')])
