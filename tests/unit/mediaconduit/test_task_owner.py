import asyncio

from mediaconduit.tasks import TaskOwner


async def test_joining_right_after_a_task_has_ended_returns() -> None:
    owner, told = TaskOwner(), asyncio.get_running_loop().create_future()

    async def work() -> None:
        told.set_result(None)

    owner.start(work(), name="work")
    await told  # resumed before the owner hears that the task has ended
    await owner.join()
