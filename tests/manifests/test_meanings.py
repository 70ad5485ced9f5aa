"""Closed lists whose members say what they mean."""

import pickle

import pytest

from manifests.meanings import Meaningful


class Fruit(Meaningful):
    APPLE = "apple", "grows on a tree"
    MELON = "melon", "grows on the ground"


class Dish(Meaningful):
    price: int

    def __init__(self, value: str, price: int, meaning: str) -> None:
        self.price = price

    SOUP = "soup", 5, "eaten with a spoon"


def test_members_are_their_values_and_mean_something():
    assert Fruit.APPLE == "apple" and f"{Fruit.MELON}" == "melon"
    assert [fruit.meaning for fruit in Fruit] == ["grows on a tree", "grows on the ground"]


def test_a_list_may_know_more_of_its_members():
    assert (Dish.SOUP.value, Dish.SOUP.price, Dish.SOUP.meaning) == ("soup", 5, "eaten with a spoon")


@pytest.mark.parametrize(("value", "member"), [("melon", Fruit.MELON), ("MELON", None), ("", None), (None, None)])
def test_members_are_found_by_value(value, member):
    assert Fruit.of(value) is member


def test_members_survive_pickling_as_themselves():
    assert pickle.loads(pickle.dumps(Dish.SOUP)) is Dish.SOUP
