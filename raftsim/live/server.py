"""A live server: the node on its three ports, over one data directory."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, Final

from raftsim.core.entry import Restored, SnapshotMeta
from raftsim.core.errors import ProtocolViolation
from raftsim.core.output import ChunkWanted
from raftsim.core.settings import Settings
from raftsim.live.clock import LoopClock
from raftsim.live.disk import DiskThreads
from raftsim.live.faults import LinkFaults
from raftsim.live.transport import TcpNetwork
from raftsim.machine.base import Machine, UnreadableState
from raftsim.node.ports import Observer, PeerInfo, PeerMessage
from raftsim.node.presence import PING_INTERVAL_S
from raftsim.node.requests import REFUSED, STOPPED, UNKNOWN, Outcome, Request
from raftsim.node.restore import steps
from raftsim.node.server import Node
from raftsim.node.settings import NodeSettings
from raftsim.storage.datadir import DataDir
from raftsim.storage.errors import StorageError
from raftsim.trace.events import START

logger: Final = logging.getLogger("raftsim.server")


class LiveServer:
    """To be made inside a running loop. Owns `data` from then on: `stop` closes it.

    `listen` is where peers are waited for, `info.address` where they dial; `seed` fixes the election timeouts drawn.
    `on_failure` gets one sentence when the disk or the server itself failed: it is silent by then and is to be
    stopped. `faults`: messages can be dropped on purpose.
    """

    def __init__(
        self,
        *,
        info: PeerInfo,
        cluster_id: str,
        data: DataDir,
        listen: tuple[str, int],
        machine: Machine,
        settings: Settings,
        node_settings: NodeSettings,
        on_failure: Callable[[str], None],
        seed: int | None = None,
        faults: bool = False,
        observer: Observer | None = None,
    ) -> None:
        self.faults = LinkFaults() if faults else None
        self._data = data
        self._listen = listen
        self._on_failure = on_failure
        self._observer = observer
        self._clock = LoopClock()
        self._disk = DiskThreads(data, self, self._fail)
        self._network = TcpNetwork(info, cluster_id, faults=self.faults, observer=observer)
        self._node = Node(
            info,
            data.restored,
            machine,
            disk=self._disk,
            network=self._network,
            clock=self._clock,
            rng=Random(seed),
            settings=settings,
            node_settings=node_settings,
            observer=observer,
        )
        self._halted = False
        self._stopped = False
        self._pinging: asyncio.TimerHandle | None = None

    async def start(self) -> None:
        """Take the port, then begin. Raises OSError, with a clear text, when the port cannot be had; then `stop`."""
        await self._network.start(self, self._listen)
        if self._observer is not None:
            self._observer(START, self._data.restored)
        self._data.restored = Restored()  # or entries that are compacted later would stay in memory
        self._disk.start()
        self._clock.start(self._turn)
        self._guard(self._node.start)
        self._ping()

    async def stop(self) -> None:
        """Answer whoever waits, let the last messages leave, finish what is being written, close the data."""
        if self._stopped:
            return
        self._stopped = True
        self._halt()
        await self._network.stop()
        await self._disk.stop()
        self._data.close()

    async def call(self, request: Request) -> Outcome:
        """Ask this server, and through it the cluster. A call that is cancelled may happen all the same."""
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()

        def done(outcome: Outcome) -> None:
            if not future.done():  # the caller may have gone
                future.set_result(outcome)

        self.client_request(request, done)
        return await future

    async def restore(self, state: Iterable[bytes]) -> Outcome:
        """Replace the state of the machine on all servers; the outcome is that of `node.restore.steps`."""
        requests = steps(state)
        request = next(requests)
        while True:
            outcome = await self.call(request)
            try:
                request = requests.send(outcome)
            except StopIteration as end:
                done: Outcome = end.value
                return done

    def client_request(self, request: Request, done: Callable[[Outcome], None]) -> None:
        """As `call`, for those who have many on their way: `done` gets the outcome, possibly before this returns.

        It may get a second one when the server goes down: the first counts.
        """
        if self._halted:
            done(Outcome(REFUSED, reason=STOPPED))
        elif not self._guard(self._node.request, request, done):
            done(Outcome(UNKNOWN, reason=STOPPED))  # this very request brought the server down

    def leader_address(self) -> str:
        """Where the leader's peers and clients find it, "" if none is known."""
        return self._node.leader_address

    @property
    def term(self) -> int:
        return self._node.term

    @property
    def commit_index(self) -> int:
        return self._node.commit_index

    def status(self, *, measured: bool = True) -> dict[str, Any]:
        """What `Node.status` says, now."""
        return self._node.status(measured=measured)

    def members(self) -> list[dict[str, Any]]:
        """What `Node.members` says, now."""
        return self._node.members()

    def term_and_commit(self) -> tuple[int, int]:
        """Two numbers of `status` that are asked for often."""
        return self._node.raft.term, self._node.raft.commit

    # The inputs of the node. All come through `_guard`, and none after the end.

    def receive(self, message: PeerMessage) -> None:
        self._guard(self._node.receive, message)

    def peer_seen(self, info: PeerInfo) -> None:
        self._guard(self._node.peer_seen, info)

    def link_lost(self, peer: str) -> None:
        self._guard(self._node.link_lost, peer)

    def link_refused(self, peer: str) -> None:
        self._guard(self._node.link_refused, peer)

    def synced(self, seq: int) -> None:
        self._guard(self._node.synced, seq)

    def snapshot_saved(self, meta: SnapshotMeta) -> None:
        self._guard(self._node.snapshot_saved, meta)

    def chunk_read(self, wanted: ChunkWanted, data: bytes | None, last: bool) -> None:
        self._guard(self._node.chunk_read, wanted, data, last)

    def _turn(self) -> None:
        self._guard(self._node.turn)

    def _ping(self) -> None:
        if self._guard(self._node.ping):
            self._pinging = asyncio.get_running_loop().call_later(PING_INTERVAL_S, self._ping)

    def _guard(self, enter: Callable[..., None], *inputs: Any) -> bool:
        """A broken invariant is never carried on with: whatever goes wrong inside stops the server.

        False: the input was not taken in, or not whole. Raises ProtocolViolation for what a peer did wrong.
        """
        if self._halted:
            return False
        try:
            enter(*inputs)
            return True
        except ProtocolViolation:
            raise
        except (StorageError, UnreadableState) as error:  # of a snapshot that was to be restored
            self._fail(str(error))
            return False
        except Exception as error:
            logger.exception("an internal error stops this server")
            self._fail(f"internal error: {error!r}")
            return False

    def _fail(self, message: str) -> None:
        if not self._halted:
            self._network.abort()
            self._halt()
            self._on_failure(message)

    def _halt(self) -> None:
        """No more turns; everyone who waits is answered."""
        if not self._halted:
            self._halted = True
            if self._pinging is not None:
                self._pinging.cancel()
            self._clock.stop()
            self._node.stop()
