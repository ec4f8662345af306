"""A Celery chord of K tasks on the same broker, with the same database as result backend: the ready-made fan-out and join."""

import os

from celery import Celery, chord

app = Celery("floor", broker=os.environ["FLOOR_AMQP_URI"], backend=os.environ["FLOOR_RESULT_URI"])
app.conf.update(
    task_acks_late=True,
    task_default_delivery_mode="persistent",
    broker_transport_options={"confirm_publish": True},
    worker_prefetch_multiplier=64,
    result_expires=600,
)


@app.task
def answer(case_id: str, department: int) -> int:
    """What a department does: nothing."""
    return department


@app.task
def join(answers: list[int], case_id: str) -> str:
    """Runs once, when all departments have answered."""
    return case_id


def fan_out(case_id: str, count: int):
    """Sends one case to `count` departments at once; the result is there when they have joined."""
    return chord((answer.s(case_id, number) for number in range(count)), join.s(case_id)).apply_async()
