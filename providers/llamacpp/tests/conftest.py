import pytest
import tiny_gguf


@pytest.fixture(scope="session")
def model_path(tmp_path_factory):
    """A tiny model that talks for ever."""
    return str(tiny_gguf.write(tmp_path_factory.mktemp("gguf") / "tiny.gguf"))
