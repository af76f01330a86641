"""The emotion classifier: seven FER2013 classes on 48x48 gray face crops."""
