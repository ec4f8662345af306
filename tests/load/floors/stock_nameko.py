"""Stock nameko: its own consumer, one write a message."""

import eventlet

eventlet.monkey_patch()

import argparse  # noqa: E402
import sys  # noqa: E402

import pymongo  # noqa: E402
from kombu import Queue  # noqa: E402
from nameko.messaging import consume  # noqa: E402
from nameko.runners import ServiceRunner  # noqa: E402

parser = argparse.ArgumentParser(description=__doc__)
for name in ("--amqp-uri", "--mongo-uri", "--database", "--queue"):
    parser.add_argument(name, required=True)
ARGS = parser.parse_args()
MAJORITY = pymongo.WriteConcern("majority", j=True)


class Worker:
    """One handler."""

    name = "stock"
    rows = None

    @consume(Queue(ARGS.queue, no_declare=True))
    def take(self, body: object) -> None:
        """Writes the document of the message."""
        id = body["subject"]
        ROWS.update_one({"_id": id}, {"$set": {"text": "done"}, "$inc": {"revision": 1}}, upsert=True)


ROWS = pymongo.MongoClient(ARGS.mongo_uri)[ARGS.database].get_collection("rows", write_concern=MAJORITY)

if __name__ == "__main__":
    runner = ServiceRunner({"AMQP_URI": ARGS.amqp_uri, "PREFETCH_COUNT": 100, "max_workers": 100})
    runner.add_service(Worker)
    runner.start()
    print("ready", flush=True)
    sys.stdout.flush()
    runner.wait()
