import os
import threading

import pytest

from makingof.recorder.salts import new_salt


def test_no_salt_is_given_out_twice_in_any_thread():
    drawn = []

    def draw():
        drawn.extend([new_salt() for _ in range(600)])

    threads = [threading.Thread(target=draw) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(drawn) == len(set(drawn)) == 2_400
    assert {len(bytes.fromhex(salt)) for salt in drawn} == {16}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system forks no process")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_a_forked_process_gives_out_none_of_its_parents():
    new_salt()  # there is a reserve to inherit
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, new_salt().encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        given = pipe.read()
    os.waitpid(child, 0)
    assert len(given) == 32
    assert given not in [new_salt() for _ in range(600)]
