# A booster on `cc/cnn_sign_digits`.
parts = ['boosters/sign_digits', 'select/by_head']
