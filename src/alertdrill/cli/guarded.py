"""What becomes of errors: a message and an exit code, never a traceback."""

import os
import sys
from collections.abc import Callable


def guarded(command: Callable[[], object]) -> int:
    """Run a command; its exit code, whatever becomes of it."""
    from alertdrill.core.errors import AlertdrillError

    try:
        command()
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else 2
    except AlertdrillError as error:
        print(error, file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 3
    except OSError as error:
        fix = "free space, or see to it that it can be read and written"
        print(f"{error.filename or 'alertdrill'}: {error.strerror or error}\n  fix: {fix}", file=sys.stderr)
        return 3
    except Exception as error:
        if os.environ.get("ALERTDRILL_DEBUG"):
            raise
        what = f"{type(error).__name__}: {error}".splitlines()[0]
        print(f"internal error: {what}\n  fix: report it, with what ALERTDRILL_DEBUG=1 shows", file=sys.stderr)
        return 3
    return 0
