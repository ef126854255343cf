"""Secrets are masked: in reprs, in errors, wherever a value is shown."""

import pytest
from pydantic import SecretStr

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
