pytest_plugins = ["tests.support.stack", "tests.support.processes", "tests.support.supervised"]
