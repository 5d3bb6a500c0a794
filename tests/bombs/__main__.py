"""Show what hostile files take, or be the process that takes them."""

import sys

from bombs.taking import main, serve

if sys.argv[1:] == ["--serve"]:
    serve()
else:
    main(sys.argv[1:])
