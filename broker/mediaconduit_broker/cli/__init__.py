"""The command line ``mediaconduit``.

`__main__` alone reads the environment; `app` lists the commands; one module each declares them. Those modules import
nothing but Typer at the top, so that ``--help`` stays quick: what does the work is imported when it is wanted.
"""
