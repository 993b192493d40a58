"""However a client pages, while others deposit and the platform judges, it misses nothing (XP Z12-013 §5.3.2)."""

import asyncio
import json
from itertools import pairwise
from typing import Any

import pytest

HERE = "100000009"
Client = Any
DEPOSITS = 250
START = "1970-01-01T00:00:00.000Z"


class Pager:
    """A client that follows the flows of its company, by the cursor or by the last moment it saw."""

    def __init__(self, client: Client, way: str, limit: int) -> None:
        self._client, self._way, self._limit = client, way, limit
        self.seen: list[tuple[str, str, str]] = []
        """Moment, flow and acknowledgement, in the order they came."""

    async def follow(self, over: asyncio.Event) -> None:
        """Read page after page until all is over, then to the end."""
        while True:
            last_round = over.is_set()
            await self._to_the_end()
            if last_round:
                return
            await asyncio.sleep(0)

    async def _to_the_end(self) -> None:
        asked: dict[str, Any] = {"where": {"updatedAfter": self._last}, "limit": self._limit}
        while True:
            page = await self._page(asked)
            self.seen += [
                (one["updatedAt"], one["flowId"], one["acknowledgement"]["status"]) for one in page["results"]
            ]
            if len(page["results"]) < self._limit:
                return
            if self._way == "cursor" and "nextCursor" in page:
                asked = {**asked, "cursor": page["nextCursor"]}
            else:
                asked = {"where": {"updatedAfter": self._last}, "limit": self._limit}

    @property
    def _last(self) -> str:
        return max((moment for moment, *_rest in self.seen), default=START)

    async def _page(self, asked: Any) -> Any:
        headers = {"Authorization": f"Bearer {self._client.tokens[HERE]}"}
        body = json.dumps(asked).encode()
        answer = await self._client.ask("POST", "/v1/flows/search", body=body, headers=headers)
        assert answer.status == 200, answer.body
        return answer.json


@pytest.mark.parametrize("limit", [1, 25, 100])
def test_nothing_is_missed_meanwhile(client: Client, form: Any, limit: int) -> None:
    """Flows deposited at once and judged meanwhile: each and its last state is seen, in strict order of moments."""

    async def deposit(number: int) -> str:
        body, headers = form({"flowSyntax": "CII", "name": f"{number}.xml"}, f"<n>{number}</n>".encode())
        headers["Authorization"] = f"Bearer {client.tokens[HERE]}"
        answer = await client.ask("POST", "/v1/flows", body=body, headers=headers)
        return str(answer.json["flowId"])

    async def whole() -> tuple[list[str], list[Pager]]:
        worker = asyncio.create_task(client.running.actor.worker.run())
        over, pagers = asyncio.Event(), [Pager(client, way, limit) for way in ("cursor", "updatedAfter")]
        following = [asyncio.create_task(each.follow(over)) for each in pagers]
        flows = await asyncio.gather(*(deposit(number) for number in range(DEPOSITS)))
        async with asyncio.timeout(60):
            while client._busy():
                await asyncio.sleep(0.01)
        over.set()
        await asyncio.gather(*following)
        worker.cancel()
        await asyncio.wait([worker])
        return flows, pagers

    flows, pagers = asyncio.run(whole())
    for pager in pagers:
        moments = [moment for moment, *_rest in pager.seen]
        assert all(before < after for before, after in pairwise(moments))
        last = {flow: status for _moment, flow, status in pager.seen}
        assert last == dict.fromkeys(flows, "Error")
        assert len(pager.seen) >= DEPOSITS
