"""What a rebuild needs and does not find: one line says what to do, and nothing is changed."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import psycopg
import pytest

from rebuild.database import connect
from rebuild.other_generations import other_generations
from tests.commands import environment, linepulse
from tests.rebuild.conftest import RULES, Replayed, differing
from tests.rebuild.story import story
from tests.services import Services

NOWHERE = "postgresql://postgres:secret@127.0.0.1:1/plant"
PASSWORD = "a-plain-one"


@pytest.mark.parametrize("words", [["--dry-run"], ["--drop-old"]])
def test_postgresql_away(services: Services, words: list[str]) -> None:
    """The variable, without the password."""
    env = environment(services.settings(topics=False, database_url=NOWHERE))
    done = linepulse(env, "rebuild", *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("DATABASE_URL: postgresql://postgres:***@127.0.0.1:1/plant: ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("words", [["--dry-run"], ["--drop-old"]])
def test_a_database_without_our_tables(services: Services, words: list[str]) -> None:
    """Another database was meant, or `setup` never ran."""
    done = linepulse(environment(services.settings(topics=False)), "rebuild", *words)
    assert (done.returncode, done.stdout) == (2, "")
    assert "run linepulse setup" in done.stderr
    assert done.stderr.count("\n") == 1


def test_kafka_away(plant: Replayed) -> None:
    """Nothing is begun."""
    env = environment(plant.settings, KAFKA_BOOTSTRAP_SERVERS="127.0.0.1:1")
    done = linepulse(env, "rebuild")
    assert (done.returncode, done.stdout) == (1, "")
    assert "KAFKA_BOOTSTRAP_SERVERS" in done.stderr
    assert done.stderr.count("\n") == 1
    assert other_generations(plant.settings.database_url).newer == {}


def test_a_limit_for_other_users_statements_is_none_for_it(plant: Replayed) -> None:
    """A COPY or an index of a year's rows may take longer than the limit."""
    database = plant.rows("SELECT current_database()")[0][0]
    plant.run(f"ALTER DATABASE \"{database}\" SET statement_timeout = '1s'")
    assert plant.rows("SHOW statement_timeout") == [("1s",)]
    with connect(plant.settings.database_url) as connection:
        assert connection.execute("SHOW statement_timeout").fetchone() == ("0",)


@pytest.fixture
def somebody(plant: Replayed) -> Iterator[str]:
    """A user of the plant's database who is no superuser and owns all that is ours in it."""
    database = urlsplit(plant.settings.database_url).path.strip("/")
    name = f"owner_{database[-8:]}"
    plant.run(f"""CREATE ROLE {name} LOGIN PASSWORD '{PASSWORD}';
        DO $$ DECLARE said text; BEGIN FOR said IN
            SELECT format('ALTER TABLE %I OWNER TO {name}', relname) FROM pg_class
            WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v')
            UNION ALL
            SELECT format('ALTER FUNCTION %s OWNER TO {name}', oid::regprocedure) FROM pg_proc
            WHERE pronamespace = 'public'::regnamespace
        LOOP EXECUTE said; END LOOP; END $$;
        GRANT CREATE ON SCHEMA public TO {name}""")
    yield name
    plant.run(f"REASSIGN OWNED BY {name} TO CURRENT_USER; DROP OWNED BY {name}; DROP ROLE {name}")


def as_user(plant: Replayed, name: str) -> Replayed:
    """The same plant, its commands run as another user."""
    parts = urlsplit(plant.settings.database_url)
    url = parts._replace(netloc=f"{name}:{PASSWORD}@{parts.netloc.rpartition('@')[2]}").geturl()
    return Replayed(plant.settings.model_copy(update={"database_url": url}))


def test_a_user_who_may_not_make_a_schema(plant: Replayed, somebody: str) -> None:
    """PostgreSQL's own words, and what to grant."""
    done = linepulse(environment(as_user(plant, somebody).settings), "rebuild", "--dry-run")
    assert (done.returncode, done.stdout) == (2, "")
    assert "permission denied" in done.stderr
    assert "GRANT CREATE ON DATABASE" in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_user_who_is_no_superuser_rebuilds_goes_live_and_drops(plant: Replayed, somebody: str) -> None:
    """Owning the tables and the right to make a schema are enough."""
    plant.write(story(seconds=30, seed=41))
    plant.live()
    before = plant.digests()
    plant.run(f'GRANT CREATE ON DATABASE "{plant.rows("SELECT current_database()")[0][0]}" TO {somebody}')
    theirs = as_user(plant, somebody)
    assert differing(theirs.rebuild()) == {}
    assert plant.digests() == before
    owner = "SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname IN ('public', 'generation_1')"
    assert plant.rows(f"{owner} AND tablename LIKE 'KPI%%'") == [(somebody,)]
    assert "Generation 1 dropped" in theirs.says("--drop-old")
    assert plant.digests() == before
    with psycopg.connect(theirs.settings.database_url) as connection:
        assert connection.execute('SELECT count(*) FROM "KPIHour"').fetchone() is not None
    assert RULES in plant.rows('SELECT plant FROM "Generation" WHERE live')[0][0]
