"""The widgets that the screens are made of. They draw what they are given and load nothing."""
