"""What the commands of the command line do: one module a command, inputs and outputs beside them.

Room: command line. Each `run_...` takes the parsed options; errors are raised and worded for the user.
"""
