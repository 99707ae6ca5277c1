"""Where files lie: folders of this machine, and object stores by address (`s3://bucket/logs`).

Nothing of a store's package is imported before an address of that store is used.
"""

from seedo.storage._files import (
    Hold,
    cannot_write,
    flush_folder,
    lock_folder,
    write_atomic,
)
from seedo.storage._kept import forget, kept_bytes
from seedo.storage._lease import NAME as LEASE
from seedo.storage._local_copy import local_copy
from seedo.storage._place import AnyPlace, Place, address, in_store, local_path, place
from seedo.storage._store import StorePlace

__all__ = [
    "LEASE",
    "AnyPlace",
    "Hold",
    "Place",
    "StorePlace",
    "address",
    "cannot_write",
    "flush_folder",
    "forget",
    "in_store",
    "kept_bytes",
    "local_copy",
    "local_path",
    "lock_folder",
    "place",
    "write_atomic",
]
