# Weights are averaged, and the average is evaluated.
facts = dict(decay=0.999)
model = dict(teacher=dict(decay='{decay}', buffers='live'))
hooks = dict(teacher=dict(type='TeacherHook'))
