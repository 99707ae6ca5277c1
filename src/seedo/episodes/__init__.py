"""Episode logs: batches in memory, datasets on disk.

A dataset is a folder of Parquet shards and a `manifest.json`; pandas, polars and Hugging Face
`datasets` read the shards as they are. Importing this package does not start JAX.
"""

from seedo.episodes._as_table import as_table, pools_episodes
from seedo.episodes._batch import (
    EXPLOIT,
    EXPLORE,
    OBSERVE,
    PHASES,
    EpisodeBatch,
    concatenate,
)
from seedo.episodes._dataset import Dataset
from seedo.episodes._origin import Origin
from seedo.episodes._own_log import Layout, OwnLog, import_csv
from seedo.episodes._schema import (
    PARTICIPANT,
    SCHEMA,
    SCHEMA_KEY,
    SCHEMA_VERSION,
    from_arrow,
    to_arrow,
    to_parquet,
)
from seedo.episodes._shards import Shard
from seedo.episodes._summary import summary
from seedo.episodes._writer import SHARD_ROWS, DatasetWriter, ShardWriter, Written, write_batch
from seedo.errors import DamagedShard
from seedo.storage import cannot_write, flush_folder, lock_folder, write_atomic

__all__ = [
    "EXPLOIT",
    "EXPLORE",
    "OBSERVE",
    "PARTICIPANT",
    "PHASES",
    "SCHEMA",
    "SCHEMA_KEY",
    "SCHEMA_VERSION",
    "SHARD_ROWS",
    "DamagedShard",
    "Dataset",
    "DatasetWriter",
    "EpisodeBatch",
    "Layout",
    "Origin",
    "OwnLog",
    "Shard",
    "ShardWriter",
    "Written",
    "as_table",
    "cannot_write",
    "concatenate",
    "flush_folder",
    "from_arrow",
    "import_csv",
    "lock_folder",
    "pools_episodes",
    "summary",
    "to_arrow",
    "to_parquet",
    "write_atomic",
    "write_batch",
]
