# FixMatch on any base.
parts = ['boosters/boost', 'losses/fixmatch']
