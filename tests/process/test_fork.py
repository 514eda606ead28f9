"""A forked child gets ForkError and never hangs; the parent continues."""


def test_a_forked_child_gets_fork_error_and_the_parent_goes_on(python):
    python(
        """
        with MockKafka(topics=["t"]) as kafka, listen(kafka) as p:
            produce(kafka, 1)
            assert p.poll(num_messages=1)[1]["x"].tolist() == [1]
            child = os.fork()
            if child == 0:
                begun, answers = time.monotonic(), 0
                decode = lambda: pykafarr.decode('"long"', [b"\\x02"])
                for call in (p.poll, p.commit, p.close, p.stats, decode, MockKafka):
                    try:
                        call()
                    except pykafarr.ForkError as error:
                        assert 'multiprocessing.get_context("spawn")' in str(error)
                        answers += 1
                os._exit(0 if answers == 6 and time.monotonic() - begun < 1 else 1)
            assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
            produce(kafka, 2)
            assert p.poll(num_messages=1)[1]["x"].tolist() == [2]
        """
    )


def test_a_hundred_children_drop_inherited_frames_and_exit(python):
    python(
        """
        with MockKafka(topics=["t"]) as kafka, listen(kafka) as p:
            produce(kafka, *range(1000))
            batch, count = p.poll_batch(num_messages=1000), 100
            decoder = pykafarr.Decoder('"long"')
            for turn in range(count):
                frame = batch.to_pandas(copy=False)
                child = os.fork()
                if child == 0:
                    assert frame["x"].sum() == sum(range(1000))
                    del frame, batch, decoder, p
                    gc.collect()
                    if turn % 2:
                        os._exit(0)
                    sys.exit(0)  # through atexit and the end of the interpreter
                deadline = time.monotonic() + 10
                while not (ended := os.waitpid(child, os.WNOHANG))[0]:
                    assert time.monotonic() < deadline, f"child {turn} hangs"
                    time.sleep(0.002)
                assert os.waitstatus_to_exitcode(ended[1]) == 0
            assert batch.to_pandas()["x"].sum() == sum(range(1000))
        """,
        "-W", "ignore",  # Python 3.12 warns of fork in a process with threads: that is what is tried here
        timeout=120,
    )  # fmt: skip


def test_a_child_forked_before_the_first_use_may_use_it(python):
    python(
        """
        child = os.fork()
        if child == 0:
            assert pykafarr.decode('"long"', [b"\\x02"])["value"].to_pylist() == [1]
            os._exit(0)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert pykafarr.decode('"long"', [b"\\x04"])["value"].to_pylist() == [2]
        """
    )


def test_spawned_workers_use_it(python, tmp_path):
    script = tmp_path / "spawned.py"
    script.write_text(
        "import multiprocessing, pykafarr\n"
        "def work(body): return pykafarr.decode('\"long\"', [body])['value'].to_pylist()\n"
        "if __name__ == '__main__':\n"
        "    pykafarr.decode('\"long\"', [])\n"
        "    with multiprocessing.get_context('spawn').Pool(2) as pool:\n"
        "        assert pool.map(work, [b'\\x02', b'\\x04']) == [[1], [2]]\n"
    )
    python(f"import runpy; runpy.run_path({str(script)!r}, run_name='__main__')", prelude="")
