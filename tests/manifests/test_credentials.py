"""What counts as a key or a password, and how messages are freed of them."""

from manifests.credentials import has_user_info, is_secret_key, secret_places, without_secrets
from tests.tables import each_row


@each_row(
    ("key", "secret"),
    [
        ("api_key", True),
        ("apiKey", True),
        ("x-api-key", True),
        ("OPENAI_API_KEY", True),
        ("hub_token", True),
        ("accessToken", True),
        ("Authorization", True),
        ("client-secret", True),
        ("aws_secret_access_key", True),
        ("password", True),
        ("max_tokens", False),
        ("stop_token_ids", False),
        ("eos_token", False),
        ("pad_token", False),
        ("key", False),
        ("enable_thinking", False),
        ("api_key_env", False),
        ("secretary", False),
    ],
)
def test_the_names_of_secrets(key: str, secret: bool) -> None:
    assert is_secret_key(key) is secret


def test_secrets_are_found_wherever_they_stand() -> None:
    value = {"a": [{"api_key": "x"}], "b": {"headers": {"Authorization": "Bearer x"}}, "c": ["https://me:pw@host/x"]}
    assert list(secret_places(value)) == ["a.api_key", "b.headers.Authorization", "c"]
    assert list(secret_places({"api_key": None, "token": "", "url": "https://host/x"})) == []


@each_row(
    ("text", "shown"),
    [
        ("cannot read s3://KEY:SECRET@bucket/x: gone", "cannot read s3://***@bucket/x: gone"),
        ("s3://KEY:SEC/RE+T@bucket/x", "s3://***@bucket/x"),
        ("http://me@host/v1", "http://***@host/v1"),
        ("s3://bucket/x?region=eu&secret_key=abc", "s3://bucket/x?region=eu&secret_key=***"),
        ("abfs://c/x?sas_token=abc&y=1", "abfs://c/x?sas_token=***&y=1"),
        ("--set models.m.extra_body={api_key: abc1}: no", "--set models.m.extra_body={api_key: ***}: no"),
        ('{"Authorization": "Bearer abc1"}', '{"Authorization": "***"}'),
        ("wants sk-proj-12ab34cd56ef", "wants ***"),
        ("the id AKIAABCDEFGHIJKLMNOP", "the id ***"),
        ("the variable OPENAI_API_KEY is empty", "the variable OPENAI_API_KEY is empty"),
        ("max_tokens: 5", "max_tokens: 5"),
        ("http://host:8000/v1 cannot be reached", "http://host:8000/v1 cannot be reached"),
        ("write to me@example.org", "write to me@example.org"),
    ],
)
def test_messages_are_freed_of_secrets(text: str, shown: str) -> None:
    assert without_secrets(text) == shown
    assert without_secrets(shown) == shown


def test_addresses_with_users() -> None:
    assert has_user_info("s3://a:b/c@d") and not has_user_info("s3://bucket/a@b")
