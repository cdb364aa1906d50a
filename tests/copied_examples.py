"""The example DAGs, copied into a folder of DAGs as a user copies them.

Airflow loads none of them from the package, see its ``example_dags/.airflowignore``.
"""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path

PACKAGED = Path(__file__).parents[1] / "airflow_provider_callapi" / "example_dags"
EXAMPLES = Path(tempfile.mkdtemp(prefix="callapi-examples-")).resolve()
atexit.register(shutil.rmtree, EXAMPLES, ignore_errors=True)
shutil.copytree(PACKAGED, EXAMPLES, ignore=shutil.ignore_patterns(".*", "__pycache__"), dirs_exist_ok=True)
