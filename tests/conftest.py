from hypothesis import settings

# The same examples each time, and no deadline: how long one takes says more of the machine than of the code.
settings.register_profile("tests", deadline=None, derandomize=True)
settings.load_profile("tests")
