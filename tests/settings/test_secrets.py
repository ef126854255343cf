"""Secrets are masked: in reprs, in errors, wherever a value is shown."""

import pytest
from pydantic import SecretStr

from prefectx.cli.app import run_command as run
from prefectx.settings import mask, masked

PASSWORD = "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"postgresql://user:{PASSWORD}@host/db",
        f"s3://key:{PASSWORD}@bucket/path and more",
        f"postgresql://user:{PASSWORD}/@@host/db",
        f"https://host/db?user=x&password={PASSWORD}&x=1",
        f'password = "{PASSWORD}"',
        f"aws_secret_access_key = '{PASSWORD}'",
        f'{{"api_token": "{PASSWORD}"}}',
    ],
)
def test_secrets_in_text(text):
    assert PASSWORD not in mask(text)
    assert "***" in mask(text)


@pytest.mark.parametrize(
    "text", ["http://127.0.0.1:4200/api", "working/{funcname}/{base}", "tcp://a:1", "tokenizer = 1"]
)
def test_what_is_no_secret_stays_as_it_is(text):
    assert mask(text) == text


def test_secrets_in_values():
    values = {"password": PASSWORD, "urls": [f"x://u:{PASSWORD}@h"], "key": SecretStr(PASSWORD)}
    assert masked(values) == {"password": "***", "urls": ["x://u:***@h"], "key": "***"}


def test_reprs_show_no_secrets(configure):
    found = configure(f"""
        root = "s3://key:{PASSWORD}@bucket"
        [context]
        db_password = "{PASSWORD}"
        [dask]
        environ = {{ API_TOKEN = "{PASSWORD}" }}
        [stores.warehouse]
        class = "a:B"
        url = "postgresql://user:{PASSWORD}@host/db"
    """)
    shown = repr(found) + repr(found.project) + str(found.project) + repr(found.stores)
    shown += repr(found.in_files) + repr(found.options("clean").history)
    assert PASSWORD not in shown
    assert found.stores["warehouse"].arguments["url"].count(PASSWORD) == 1


def test_errors_show_no_secrets(mistakes):
    told = "".join(
        mistakes(f"""
        api_url = "postgresql://user:{PASSWORD}@host/db"
        [dask]
        environ = {{ API_TOKEN = 1, PASSWORD = ["{PASSWORD}"] }}
        [stores]
        warehouse = "postgresql://user:{PASSWORD}@host/db"
    """)
    )
    assert PASSWORD not in told


NAMES = """
    DB_PASS AUTH SSH_KEY account_key sas paswword password passwd PGPASSWORD MYSQL_PWD pw apiToken
    X-Api-Key aws_secret_access_key AccountKey authorization private_key client_secret refresh_token
    passwort pasword cookie signing_key connection_string webhook_url secrte toekn credentails sig
    otp jwt GITHUB_PAT csrftoken session_id DJANGO_SECRET_KEY bearer oauth storage_key ssh.key
"""
HARMLESS = """
    author authors compass primary_key sort_key tokenizer tls_key keepalive key keys api_url pattern
    path bypass passenger passport secure monkey format target passed assistant task spill workers
"""


@pytest.mark.parametrize("name", NAMES.split())
def test_names_of_secrets(name):
    assert masked({name: PASSWORD}) == {name: "***"}
    assert PASSWORD not in mask(f'{name} = "{PASSWORD}"')
    assert PASSWORD not in mask(f"x={name}={PASSWORD}")


@pytest.mark.parametrize("name", HARMLESS.split())
def test_names_of_other_things(name):
    assert masked({name: "value"}) == {name: "value"}
    assert mask(f"{name} = value") == f"{name} = value"


@pytest.mark.parametrize(
    "text",
    [
        f"https://{PASSWORD}@host/x",
        f"git+https://{PASSWORD}@host/x.git",
        f"redis://:{PASSWORD}@host",
        f"https://account.blob.net/c?se=1&sig={PASSWORD}",
        f"DefaultEndpointsProtocol=https;AccountName=a;AccountKey={PASSWORD};EndpointSuffix=x",
        f"Authorization: Bearer {PASSWORD}xyz",
        f"curl --password {PASSWORD} --verbose",
        "ghp_hunter2hunter2hunter2",
        "-----BEGIN RSA PRIVATE KEY-----\nhunter2\n-----END RSA PRIVATE KEY-----",
        f"postgresql+psycopg://{PASSWORD}{PASSWORD}{PASSWORD}@host/db",
    ],
)
def test_secrets_by_their_form(text):
    assert PASSWORD not in mask(text)


def test_only_the_secret_is_hidden():
    assert mask("AccountName=a;AccountKey=b;Suffix=c") == 'AccountName=a;AccountKey="***";Suffix=c'
    assert mask("postgresql://user@host/db") == "postgresql://user@host/db"
    assert masked({"verify_token": True, "token": None}) == {"verify_token": True, "token": None}


def test_the_value_of_an_unknown_key_is_not_shown(tmp_path, capsys):
    (tmp_path / "prefectx.toml").write_text(
        f"wxyz = '{PASSWORD}'\n[dask]\nxyz = '{PASSWORD}'\nmemory_limt = '4GB'"
    )
    assert run(["config", "check"]) == 2
    said = capsys.readouterr().err
    assert "1 | wxyz = ***" in said
    assert PASSWORD not in said
    assert "memory_limt = '4GB'" in said
