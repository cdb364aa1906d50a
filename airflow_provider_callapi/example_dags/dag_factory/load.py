"""Load the YAML files of this folder as Airflow DAGs, with dag-factory.

    pip install 'dag-factory>=1.1'

Copy the whole folder. If a YAML file has an error, Airflow's UI shows an import error. By default,
dag-factory sends usage data to its authors: set AIRFLOW__DAG_FACTORY__ENABLE_TELEMETRY=False or
DO_NOT_TRACK=1 to disable this.
"""

import sys
from pathlib import Path

from dagfactory import load_yaml_dags

HERE = Path(__file__).parent
if str(HERE) not in sys.path:
    sys.path.append(str(HERE))  # a YAML file may name a function of this folder, such as spoken_texts.report

for file in sorted(HERE.glob("*.yml")):
    # one file at a time: for a folder, load_yaml_dags only logs an error, and the DAG is missing
    load_yaml_dags(globals(), config_filepath=str(file), defaults_config_path=str(HERE))
