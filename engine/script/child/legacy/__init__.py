"""Libraries of 2019 for scripts that ask for them: Keras below 2.4, TensorFlow below 2.

No such TensorFlow has a build for this Python. Keras of that time is pure Python, so a script gets
the very version that it asks for, on the TensorFlow of today with its version 1 interface
(`tensorflow.compat.v1`). The few names that Keras 2.2 misses in today's libraries are added when a
module is imported, and only in the process of the script that asked.
"""
