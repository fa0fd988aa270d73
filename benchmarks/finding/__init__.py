"""Finding issues in a large register by number, telephone, customer and words.

``threads.py`` makes up what is said about issues, common and rare words as people use them;
``register.py`` writes that into a register; ``__main__.py`` looks for it, as people of every reach
do.
"""
