"""A scope of tasks: nothing outlives it, nothing fails unseen."""

import asyncio

import pytest

from dragoman.tasks import TaskScope


async def forever():
    await asyncio.Event().wait()


async def fail():
    message = "broken"
    raise ValueError(message)


async def turn():
    for _ in range(3):
        await asyncio.sleep(0)  # lets tasks run


async def test_a_task_gives_its_result():
    scope = TaskScope()

    async def work():
        return 5

    assert 5 == await scope.spawn(work(), "work")


async def test_names_are_those_of_the_living_sorted():
    scope = TaskScope()
    scope.spawn(forever(), "b")
    scope.spawn(forever(), "a")
    done = scope.spawn(turn(), "c")
    await done
    await turn()

    assert ("a", "b") == scope.names

    await scope.close()
    assert () == scope.names


async def test_closing_waits_until_each_task_has_cleaned_up():
    scope = TaskScope()
    ended = []

    async def clean_up():
        try:
            await forever()
        finally:
            await turn()
            ended.append("cleaned")

    scope.spawn(clean_up(), "cleaner")
    await turn()
    await scope.close()

    assert ["cleaned"] == ended


async def test_closing_twice_is_closing_once():
    scope = TaskScope()
    scope.spawn(forever(), "a")

    await scope.close()
    await scope.close()

    assert () == scope.names


async def test_a_failure_is_reported_with_its_task_s_name_and_spares_siblings():
    seen = []
    scope = TaskScope(lambda name, error: seen.append((name, str(error))))
    scope.spawn(forever(), "sibling")

    task = scope.spawn(fail(), "failing")
    await turn()

    assert [("failing", "broken")] == seen
    assert ("sibling",) == scope.names
    assert task.done()
    await scope.close()


async def test_a_failure_without_a_listener_reaches_the_loop():
    contexts = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: contexts.append(context))
    scope = TaskScope()

    scope.spawn(fail(), "failing")
    await turn()

    assert ["task 'failing' failed"] == [context["message"] for context in contexts]
    assert "broken" == str(contexts[0]["exception"])


async def test_a_cancellation_is_no_failure():
    seen = []
    scope = TaskScope(lambda name, _: seen.append(name))

    scope.spawn(forever(), "a").cancel()
    await scope.close()

    assert [] == seen


async def test_a_task_may_close_its_own_scope():
    scope = TaskScope()
    sibling = scope.spawn(forever(), "sibling")

    async with asyncio.timeout(60):
        await scope.spawn(scope.close(), "closer")

    assert sibling.cancelled()


async def test_a_closed_scope_starts_nothing():
    scope = TaskScope()
    await scope.close()
    work = forever()

    with pytest.raises(RuntimeError, match=r"'late' started after its scope was closed"):
        scope.spawn(work, "late")

    assert work.cr_frame is None
