"""The addresses of a company at the desk: where it receives, what was asked of the directory, moving."""

from tests.web.world import World


def test_where_the_company_receives(world: World) -> None:
    """Each address says whether it is received here, elsewhere or nowhere; no other platform is named."""
    page = world.visitor().get("/addresses")
    assert page.status == 200
    assert "Reçue ici" in page.text
    assert "Aucune plateforme choisie" in world.visitor("other").get("/addresses").text


def test_moving(world: World) -> None:
    """Asked with the agreement, it is in the list with the day; asked for what cannot be, the page says why."""
    other = world.visitor("other")
    csrf = other.get("/addresses").hidden("csrf")
    for day, agreed, why in (
        ("2026-09-01", "yes", "demain au plus tôt"),
        ("soon", "yes", "n'est pas un jour"),
        ("2030-01-01", "no", "accord formel"),
    ):
        refused = other.post("/addresses", csrf=csrf, day=day, agreed=agreed, move="arrive")
        assert refused.status == 422
        assert why in refused.text
    page = other.post("/addresses", csrf=csrf, day="2030-01-01", agreed="yes", move="arrive")
    assert page.status == 200
    assert "Transmis" in page.text
    left = other.post("/addresses", csrf=csrf, day="2030-01-01", agreed="yes", move="leave")
    assert left.status == 422
    assert "Aucune adresse" in left.text
