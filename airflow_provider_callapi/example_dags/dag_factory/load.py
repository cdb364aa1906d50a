"""The pipelines of this folder's YAML files, made into Airflow DAGs by dag-factory.

    pip install 'dag-factory>=1.1'

Copy the folder; a file that is wrong is an import error in the UI. dag-factory sends usage data to
its makers unless AIRFLOW__DAG_FACTORY__ENABLE_TELEMETRY=False (or DO_NOT_TRACK=1) is set.
"""

from pathlib import Path

from dagfactory import load_yaml_dags

HERE = Path(__file__).parent

for file in sorted(HERE.glob("*.yml")):
    # file by file: for a whole folder load_yaml_dags only logs what is wrong, and a DAG is missing
    load_yaml_dags(globals(), config_filepath=str(file), defaults_config_path=str(HERE))
