"""What a function is told by its environment, and what it says when it is told nonsense."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from uriai.domain.model_set import model_set_hash
from uriai.settings import Settings, SettingsError

LOCAL = {"DATABASE_HOST": "127.0.0.1", "DATABASE_NAME": "uriai", "DATABASE_SECRET_ARN": "arn:secret"}
MODELS = json.dumps({"violence": {"name": "bilstm", "version": "1.2", "sha256": "a" * 64}})


def test_what_is_not_set_has_its_default():
    settings = Settings.from_environment(LOCAL)
    assert settings.database.port == 3306
    assert settings.models_dir == Path("/tmp/models")
    assert settings.models.models == {}


@pytest.mark.parametrize("name", sorted(LOCAL))
def test_a_missing_variable_is_named_with_where_to_set_it(name):
    with pytest.raises(SettingsError, match=rf"{name} is not set: .*template\.yaml"):
        Settings.from_environment({key: value for key, value in LOCAL.items() if key != name})


def test_all_that_a_function_needs_and_lacks_is_named_at_once():
    with pytest.raises(SettingsError, match="CLIPS_BUCKET, MODEL_SET"):
        Settings.from_environment(LOCAL | {"MODEL_SET": " "}, require=("CLIPS_BUCKET", "MODEL_SET"))


def test_a_database_on_another_machine_needs_a_ca():
    with pytest.raises(SettingsError, match="DATABASE_CA_BUNDLE"):
        Settings.from_environment(LOCAL | {"DATABASE_HOST": "db.example"})
    assert Settings.from_environment(LOCAL | {"DATABASE_HOST": "db.example", "DATABASE_CA_BUNDLE": "/opt/ca.pem"})


@pytest.mark.parametrize("port", ["0", "65536", "-1", "x", "3306.0"])
def test_a_port_that_is_none_is_refused(port):
    with pytest.raises(SettingsError, match="DATABASE_PORT"):
        Settings.from_environment(LOCAL | {"DATABASE_PORT": port})


def test_the_model_set_has_the_hash_that_an_analyser_of_these_models_has():
    models = Settings.from_environment(LOCAL | {"MODEL_SET": MODELS}).models
    assert models.models == {"violence": "bilstm@1.2+" + "a" * 64}
    assert models.hash == model_set_hash(models.models)
    assert len(models.hash) == 32


def test_the_order_in_which_models_are_named_changes_no_hash():
    one = {"violence": "a@1+" + "0" * 64, "face": "b@1+" + "1" * 64}
    assert model_set_hash(one) == model_set_hash(dict(reversed(one.items())))
    assert model_set_hash(one) != model_set_hash(one | {"face": "b@2+" + "1" * 64})


@pytest.mark.parametrize("text", ["{", "[]", '{"violence": 1}', MODELS.replace("a" * 64, "A" * 64)])
def test_a_model_set_of_another_form_is_refused(text):
    with pytest.raises(SettingsError, match="MODEL_SET cannot be read"):
        Settings.from_environment(LOCAL | {"MODEL_SET": text})
