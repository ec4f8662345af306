"""The same fan-out as a Temporal workflow: K activities at once, then the join, on a dev server in memory."""

import argparse
import asyncio
from datetime import timedelta

from temporalio import activity, workflow
from temporalio.client import Client
from temporalio.worker import Worker

QUEUE = "floor"


@activity.defn
async def answer(department: int) -> int:
    """What a department does: nothing."""
    return department


@workflow.defn
class FanOut:
    """One case: all departments at once, joined when the last has answered."""

    @workflow.run
    async def run(self, count: int) -> int:
        """Returns how many departments answered."""
        limit = timedelta(seconds=60)
        answers = await asyncio.gather(
            *(workflow.execute_activity(answer, number, start_to_close_timeout=limit) for number in range(count))
        )
        return len(answers)


async def work(address: str) -> None:
    """Runs a worker until it is stopped."""
    client = await Client.connect(address)
    worker = Worker(
        client,
        task_queue=QUEUE,
        workflows=[FanOut],
        activities=[answer],
        max_concurrent_workflow_tasks=100,
        max_concurrent_activities=500,
    )
    print("ready", flush=True)
    await worker.run()


def main() -> None:
    """Starts the worker."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--address", required=True)
    asyncio.run(work(parser.parse_args().address))


if __name__ == "__main__":
    main()
