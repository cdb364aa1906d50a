"""The fields of a connection of type ``callapi``: accepted values, defaults and error texts."""

from __future__ import annotations

import json
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
import requests
from airflow.providers.common.compat.sdk import AirflowFailException
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_callapi.api.credentials import AccessKey, LoginSession
from airflow_provider_callapi.connection.settings import ConnectionSettings, read_settings
from airflow_provider_callapi.exceptions import ConnectionSettingsInvalid

SECRET = "S3cret-of-the-account"


def read(extra: Any = None, **fields: Any) -> ConnectionSettings:
    given = {"host": None, "port": None, "login": None, "password": SECRET, **fields}
    text = extra if isinstance(extra, str | None) else json.dumps(extra)
    return ConnectionSettings.from_fields("my_conn", **given, extra=text)


def refusal(extra: Any = None, **fields: Any) -> str:
    with pytest.raises(ConnectionSettingsInvalid) as failure:
        read(extra, **fields)
    assert isinstance(failure.value, AirflowFailException), "a retry would read the same connection"
    assert SECRET not in f"{failure.value!r} {failure.value.__context__!r} {failure.value.__cause__!r}"
    return str(failure.value)


@pytest.mark.parametrize(
    ("host", "port", "url"),
    [
        (None, None, "https://callapi.comagic.ru/v4.0"),
        ("", None, "https://callapi.comagic.ru/v4.0"),
        ("callapi.uiscom.ru", None, "https://callapi.uiscom.ru/v4.0"),
        ("callapi.uiscom.ru", 8443, "https://callapi.uiscom.ru:8443/v4.0"),
        ("callapi.uiscom.ru:8443", None, "https://callapi.uiscom.ru:8443/v4.0"),
        ("https://callapi.uiscom.ru/", None, "https://callapi.uiscom.ru/v4.0"),
        ("https://callapi.uiscom.ru:444", 444, "https://callapi.uiscom.ru:444/v4.0"),
        ("https://proxy.example/callapi/", None, "https://proxy.example/callapi/v4.0"),
        ("http://127.0.0.1", 8080, "http://127.0.0.1:8080/v4.0"),
        ("http://localhost:8080", None, "http://localhost:8080/v4.0"),
        ("http://[::1]:8080", None, "http://[::1]:8080/v4.0"),
        ("https://[2001:db8::1]", 8443, "https://[2001:db8::1]:8443/v4.0"),
        ("[2001:db8::1]", 8443, "https://[2001:db8::1]:8443/v4.0"),
        ("2001:db8::1", 8443, "https://[2001:db8::1]:8443/v4.0"),
        ("::1", None, "https://[::1]/v4.0"),
        (" callapi.uiscom.ru ", None, "https://callapi.uiscom.ru/v4.0"),
        ("https://callapi.uiscom.ru\u00a0\n", None, "https://callapi.uiscom.ru/v4.0"),
        ("call_api.example.", None, "https://call_api.example./v4.0"),
        ("https://телефония.рф/прокси сети", None, "https://телефония.рф/прокси сети/v4.0"),
    ],
)
def test_a_host_is_a_name_or_a_url_and_a_bare_name_means_https(host, port, url):
    assert read(host=host, port=port).url == url


@pytest.mark.parametrize(
    "host",
    [
        "ftp://callapi.comagic.ru",
        "https://",
        "callapi.comagic.ru:port",
        "callapi.comagic.ru:99999",
        "https://callapi.comagic.ru/?x=1",
        f"https://user:{SECRET}@callapi.comagic.ru",
        "https://[::1",
        " ",
        "callapi comagic.ru",
        "callapi.\ncomagic.ru",
        "callapi.comagic.ru;",
        "callapi..comagic.ru",
        "callapi.comagic.ru\u200b",
        "callapi.comagic.ru/\ud800",
        "callapi.comagic.ru#x",
        f"https://:{SECRET}@callapi.comagic.ru",
        f"{'a' * 64}.ru",
        "https://callapi.comagic.ru/v4.0",
        "callapi.comagic.ru/v4.0/",
        "callapi.comagic.ru/V4.0",
        "callapi.comagi\u0441.ru",
        "\u0441allapi.comagic.ru",
        "https://proxy.example/callapi/v4",
    ],
)
def test_an_invalid_host_is_refused_by_name(host):
    assert refusal(host=host).startswith("connection my_conn, host: ")
    text = refusal({"data_api": True, "data_api_host": host})
    assert text.startswith("connection my_conn, extra.data_api_host: ")


@pytest.mark.parametrize("field", ["host", "login", "password"])
@pytest.mark.parametrize("value", [79261234567, True, ["secret"], b"secret"])
def test_a_field_of_another_type_than_text_is_refused_by_name(field, value):
    """Some secrets backends read a field of digits as a number."""
    assert refusal(**{field: value}) == f"connection my_conn, {field}: a text is needed"


@pytest.mark.parametrize("port", [-1, 0, 65_536, "abc", "8443", True, 1.5])
def test_a_wrong_port_is_refused_by_name(port):
    assert refusal(port=port).startswith("connection my_conn, port: enter a number from 1 to 65535")


def test_two_different_ports_are_refused():
    text = refusal(host="https://callapi.uiscom.ru:444", port=555)
    assert text.startswith("connection my_conn, port: the field host has another port")


@given(st.text(st.sampled_from("ab.-_:/[]%?# \t\n\x00\u200b\u00a0\ud800"), min_size=1, max_size=12))
def test_a_host_is_refused_or_a_request_can_be_sent_to_its_url(host):
    with suppress(ConnectionSettingsInvalid):
        assert requests.Request("POST", read(host=host).url).prepare().url


@pytest.mark.parametrize(
    "host", ["http://callapi.comagic.ru", "http://10.0.0.1", "http://127.0.0.1.evil.example"]
)
def test_plain_http_to_another_machine_is_refused(host):
    text = refusal(host=host)

    assert "host: plain http" in text
    assert "extra.allow_http" in text


@pytest.mark.parametrize("allow", [True, "true", "1", "yes"])
def test_plain_http_may_be_allowed(allow):
    assert read({"allow_http": allow}, host="http://10.0.0.1").url == "http://10.0.0.1/v4.0"


def test_a_login_and_password_log_in_and_a_password_alone_is_a_key():
    assert isinstance(read(login="demo").credentials(), LoginSession)
    assert isinstance(read().credentials(), AccessKey)
    assert isinstance(read(login="").credentials(), AccessKey)
    assert isinstance(read(login=" \n").credentials(), AccessKey)
    assert read(login=" robot\n").login == "robot"


@pytest.mark.parametrize(
    ("login", "written", "password"),
    [("", " key\n", "key"), (None, "key\r\n", "key"), ("robot", "word \n", "word ")],
)
def test_a_line_break_behind_a_password_or_key_does_not_count(login, written, password):
    assert read(login=login, password=written).password.get_secret_value() == password


@pytest.mark.parametrize("password", [None, ""])
def test_an_empty_password_is_refused_by_name(password):
    assert "connection my_conn, password: empty" in refusal(password=password)


def test_the_defaults_are_those_of_the_documentation():
    settings = read()

    assert (settings.timeout, settings.timezone, settings.verify, settings.data_api_url) == (
        30.0,
        "Europe/Moscow",
        True,
        None,
    )


@pytest.mark.parametrize(
    ("extra", "zone"),
    [
        ({}, "Europe/Moscow"),
        ({"data_api": True}, None),
        ({"data_api": True, "timezone": ""}, None),
        ({"data_api": True, "timezone": "Asia/Omsk"}, "Asia/Omsk"),
        ({"timezone": "Asia/Omsk"}, "Asia/Omsk"),
    ],
)
def test_an_empty_time_zone_is_left_to_the_data_api_if_the_connection_uses_it(extra, zone):
    assert read(extra).timezone == zone


@pytest.mark.parametrize("extra", [None, "", "{}", {"timeout": None, "timezone": "", "data_api": None}])
def test_an_empty_field_of_the_form_is_its_default(extra):
    assert read(extra) == read()


def test_text_is_converted_to_the_fields_type():
    """In a connection that is a URI, all extra values are text."""
    settings = read({"timeout": "7.5", "data_api": "true", "verify": "false", "api_version": "v4.1"})

    assert (settings.timeout, settings.verify) == (7.5, False)
    assert settings.url.endswith("/v4.1")
    assert settings.data_api_url is not None


@pytest.mark.parametrize(
    ("extra", "field"),
    [
        ({"timezone": "Moscow"}, "timezone"),
        ({"timezone": "../../etc/passwd"}, "timezone"),
        ({"timezone": "Europe"}, "timezone"),
        ({"timezone": 3}, "timezone"),
        ({"timezone": "localtime"}, "timezone"),
        ({"timezone": "right/Europe/Moscow"}, "timezone"),
        ({"api_version": "4"}, "api_version"),
        ({"api_version": "v4.0/../admin"}, "api_version"),
        ({"timeout": "soon"}, "timeout"),
        ({"timeout": 0}, "timeout"),
        ({"timeout": -1}, "timeout"),
        ({"timeout": "inf"}, "timeout"),
        ({"timeout": "nan"}, "timeout"),
        ({"data_api": "maybe"}, "data_api"),
        ({"allow_http": "maybe"}, "allow_http"),
        ({"data_api": True, "data_api_host": "http://dataapi.example"}, "data_api_host"),
        ({"data_api": True, "data_api_host": "https://"}, "data_api_host"),
        ({"verify": 5}, "verify"),
        ({"timeout": SECRET}, "timeout"),
        ({"timeout": "10000000000"}, "timeout"),
        ({"timeout": 1e300}, "timeout"),
        ({"timeout": 86_401}, "timeout"),
        ({"timeout": True}, "timeout"),
        ({"timeout": False}, "timeout"),
        ({"verify": 0}, "verify"),
        ({"verify": 0.0}, "verify"),
        ({"verify": "0"}, "verify"),
        ({"verify": "off"}, "verify"),
        ({"verify": [False]}, "verify"),
    ],
)
def test_the_error_of_an_invalid_extra_names_the_field_and_shows_no_value(extra, field):
    assert refusal(extra).startswith(f"connection my_conn, extra.{field}: ")


FIELDS = {
    "api_version": "v4.7",
    "timeout": 7,
    "timezone": "Asia/Tokyo",
    "data_api": True,
    "allow_http": True,
    "verify": False,
}


@pytest.mark.parametrize("field", [*FIELDS, "data_api_host"])
@pytest.mark.parametrize(
    "misspell",
    [
        lambda name: name.replace("_", "") if "_" in name else f"{name}s",
        str.upper,
        lambda name: name.replace("_", "-") if "_" in name else f"_{name}",
        lambda name: name[:2] + name[3:],
        lambda name: f"extra__callapi__{name[:-1]}",
        lambda name: f"{name} ",
    ],
)
def test_the_error_of_a_misspelt_field_names_the_right_field(field, misspell):
    text = refusal({misspell(field): SECRET})

    assert text.startswith("connection my_conn, extra.")
    assert f"did you mean {field}?" in text


@pytest.mark.parametrize(
    ("name", "field"),
    [
        *(("tz", "timezone"), ("Zone", "timezone"), ("ssl_verify", "verify"), ("use_data_api", "data_api")),
        *(("account_timezone", "timezone"), ("enable_data_api", "data_api"), ("connect_timeout", "timeout")),
        *(("extra__aws__data_api", "data_api"), ("callapi_data_api_host", "data_api_host")),
    ],
)
def test_the_error_of_another_usual_name_names_the_right_field(name, field):
    assert f"did you mean {field}?" in refusal({name: SECRET})


@pytest.mark.parametrize(
    "inner",
    [{"data_api": True}, {"tz": "Asia/Omsk"}, {"extra__callapi__timezone": "UTC"}, '{"data_api": true}'],
)
def test_fields_inside_another_object_are_refused(inner):
    text = refusal({"callapi": inner})
    assert text.startswith("connection my_conn, extra.callapi: enter these fields directly in extra")


@pytest.mark.parametrize("name", ["comment", "owner", "team", "aws_access_key_id", "x"])
def test_an_unknown_field_of_the_extra_is_ignored(name):
    assert read({name: SECRET}) == read()


def test_the_fields_of_an_older_form_are_read():
    assert read({f"extra__callapi__{name}": value for name, value in FIELDS.items()}) == read(FIELDS)


@pytest.mark.parametrize(
    "names", [["timeout", "extra__callapi__timeout"], ["extra__callapi__timeout", "timeout"]]
)
def test_a_field_overrides_the_same_field_of_an_older_form(names):
    assert read({name: 7 if name == "timeout" else 9 for name in names}).timeout == 7


@pytest.mark.parametrize("conn_type", ["aws", "postgres", "http", "generic", "Callapi", "", None])
def test_a_connection_of_another_type_is_refused_and_shows_no_secret(conn_type):
    connection = SimpleNamespace(
        conn_id="my_conn",
        conn_type=conn_type,
        host="callapi.comagic.ru",
        port=None,
        login=None,
        password=SECRET,
        extra=None,
    )

    with pytest.raises(ConnectionSettingsInvalid, match="connection my_conn has the type") as failure:
        read_settings(connection)  # type: ignore[arg-type]

    assert SECRET not in str(failure.value)
    connection.conn_type = "callapi"
    assert read_settings(connection) == read(host="callapi.comagic.ru")  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["/nonexistent.pem", "yes", "a" * 5000])
def test_a_ca_bundle_that_is_missing_on_this_machine_is_refused_by_name(path):
    assert "extra.verify: this machine has no such file" in refusal({"verify": path})


def test_the_error_of_an_invalid_version_shows_a_valid_version():
    assert (
        refusal({"api_version": "4"}) == "connection my_conn, extra.api_version: enter a version, e.g. v4.0"
    )


@pytest.mark.parametrize(
    "extra", ["{", "[]", "5", f'"{SECRET}"', "[" * 100_000, '{"timeout": ' + "[" * 100_000]
)
def test_an_extra_field_that_is_no_json_object_is_refused_by_name(extra):
    assert refusal(extra).startswith("connection my_conn, extra: ")


@pytest.mark.parametrize(
    ("host", "data_host", "url"),
    [
        (None, None, "https://dataapi.comagic.ru/v2.0"),
        ("callapi.uiscom.ru", None, "https://dataapi.uiscom.ru/v2.0"),
        ("callapi.uiscom.ru", "dataapi.comagic.ru", "https://dataapi.comagic.ru/v2.0"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8081", "http://127.0.0.1:8081/v2.0"),
    ],
)
def test_the_data_api_is_derived_from_the_host_or_given_by_name(host, data_host, url):
    assert read({"data_api": True, "data_api_host": data_host}, host=host).data_api_url == url


def test_the_host_of_a_call_api_is_no_host_of_a_data_api():
    text = refusal({"data_api": True, "data_api_host": "https://callapi.uiscom.ru/"})
    assert text == "connection my_conn, extra.data_api_host: this is a host of the Call API"


def test_verify_is_a_flag_or_the_path_of_a_ca_bundle(tmp_path):
    bundle = tmp_path / "ca.pem"
    bundle.touch()
    assert read({"verify": str(bundle)}).verify == str(bundle)
    assert read({"verify": "True"}).verify is True
    assert read({"verify": False}).verify is False
    assert read({"verify": 1}).verify is True


JSON_VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=8), st.lists(st.booleans())
)


@given(JSON_VALUES)
def test_only_the_word_false_switches_the_check_of_certificates_off(value):
    with suppress(ConnectionSettingsInvalid):
        assert read({"verify": value}).verify or str(value).strip().lower() == "false"


@given(JSON_VALUES | st.integers().map(str) | st.floats().map(str))
def test_a_timeout_is_a_number_of_seconds_that_a_socket_can_wait(value):
    with suppress(ConnectionSettingsInvalid):
        assert 0 < read({"timeout": value}).timeout <= 86_400
        assert not isinstance(value, bool)


def test_the_settings_do_not_show_the_password():
    settings = read(login="demo")

    assert SECRET not in f"{settings!r} {settings} {settings.credentials()!r} {vars(settings)}"
