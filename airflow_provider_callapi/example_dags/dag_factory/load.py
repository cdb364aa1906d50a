"""Load the YAML files of this folder as Airflow DAGs, with dag-factory.

    pip install 'dag-factory>=1.1'

Copy the whole folder. If a YAML file has an error, Airflow's UI shows an import error that names the file,
and shows none of the DAGs that this file loads. If you copy this file as informer_call.py, the copy loads
only informer_call.yml, and an error in another YAML file does not affect its DAGs.

By default, dag-factory sends usage data to its authors: set AIRFLOW__DAG_FACTORY__ENABLE_TELEMETRY=False or
DO_NOT_TRACK=1 to disable this.
"""

import sys
from pathlib import Path

from dagfactory import load_yaml_dags

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.append(str(HERE))  # a YAML file may name a function of this folder, such as spoken_texts.report

own_file = Path(__file__).with_suffix(".yml")
without_loader = [file for file in sorted(HERE.glob("*.yml")) if not file.with_suffix(".py").exists()]
errors = []
for file in [own_file] if own_file.exists() else without_loader:
    try:
        # one file at a time: for a folder, load_yaml_dags only logs an error, and the DAG is missing
        load_yaml_dags(globals(), config_filepath=str(file), defaults_config_path=str(HERE))
    except Exception as error:
        errors.append(f"{file.name}: {type(error).__name__}: {error}")
if errors:
    raise RuntimeError("\n".join(errors))
