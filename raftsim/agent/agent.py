"""One server and its operator API, made from a configuration."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Any

from raftsim import __version__
from raftsim.agent.addresses import join_address
from raftsim.agent.banner import document
from raftsim.agent.config import AgentConfig
from raftsim.agent.identity import establish
from raftsim.agent.logs import EventLog
from raftsim.agent.machines import machine_of
from raftsim.agent.metrics import COLLECTION_INTERVAL_S, Metrics
from raftsim.agent.observers import together
from raftsim.agent.recovery import explain, recover
from raftsim.core.entry import INCARNATIONS, bootstrapped
from raftsim.http.server import HttpServer
from raftsim.http.view import AgentView, LinkFaults
from raftsim.live.server import LiveServer
from raftsim.node.ports import PeerInfo
from raftsim.node.requests import OK, Outcome, RemovePeer, Request
from raftsim.storage.datadir import DataDir

_logger = logging.getLogger("raftsim.agent")


class Agent:
    """To be made inside a running loop, from a configuration with a data directory and ports.

    It is what the operator API sees of the server. `on_failure` gets one sentence when the server failed: it is to be
    stopped then. Raises ConfigError and StorageError, and OSError for what the operating system refuses.
    """

    def __init__(self, config: AgentConfig, on_failure: Callable[[str], None]) -> None:
        assert config.data_dir is not None
        server_dir = config.data_dir / "server"
        server_dir.mkdir(parents=True, exist_ok=True)
        identity = establish(config, server_dir)
        self.id = identity.id
        self._cluster_id = identity.cluster_id
        self._config = config
        self._document = document(config)
        self._metrics = Metrics()
        self._collecting: asyncio.TimerHandle | None = None
        for note in recover(server_dir, config.raft_protocol, identity):
            _logger.warning("%s", note)
        incarnation = 1 + secrets.randbelow(INCARNATIONS)
        data = DataDir.open(server_dir, cluster_id=identity.cluster_id, server_id=identity.id, incarnation=incarnation)
        try:
            explain(server_dir)
            for note in data.notes:
                _logger.warning("%s: %s", server_dir, note)
            if identity.first is not None:
                data.bootstrap(bootstrapped(identity.first))
            self._live = LiveServer(
                info=PeerInfo(
                    identity.id,
                    config.member_name,
                    identity.address,
                    config.raft_protocol,
                    config.datacenter,
                    __version__,
                ),
                cluster_id=identity.cluster_id,
                data=data,
                listen=config.rpc_bind,
                machine=machine_of(config.machine),
                settings=config.settings,
                node_settings=config.node_settings,
                faults=config.faults,
                on_failure=on_failure,
                observer=together(EventLog().acts, self._metrics.acts),
            )
        except BaseException:
            data.close()
            raise
        view: AgentView = self
        self._http = HttpServer(view, *config.http_bind, max_connections_per_client=config.http_max_conns_per_client)

    async def start(self) -> None:
        """Serve. Raises OSError, with a clear text, when a port cannot be had; nothing is left running then."""
        try:
            await self._live.start()
            try:
                await self._http.start()
            except OSError as error:
                why = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
                address = join_address(*self._config.http_bind)
                raise OSError(error.errno, f"cannot listen for clients on {address}: {why}") from error
        except BaseException:
            await self._live.stop()
            raise
        self._collect()

    async def stop(self) -> None:
        """Refuse clients, then stop the server and close its data."""
        if self._collecting is not None:
            self._collecting.cancel()
        await self._http.stop()
        await self._live.stop()

    async def leave(self) -> None:
        """Have this server removed from the cluster, if there is anybody left to do it."""
        outcome = await self._live.call(RemovePeer(id=self.id))
        if outcome.kind == OK:
            _logger.info("this server has left the cluster")
        else:
            _logger.warning("this server is still a member of the cluster: %s", outcome.reason)

    def _collect(self) -> None:
        self._metrics.collect(self._live.status(measured=False))
        self._collecting = asyncio.get_running_loop().call_later(COLLECTION_INTERVAL_S, self._collect)

    # What the operator API sees.

    @property
    def name(self) -> str:
        return self._config.name

    @property
    def region(self) -> str:
        return self._config.region

    @property
    def datacenter(self) -> str:
        return self._config.datacenter

    @property
    def raft_protocol(self) -> int:
        return self._config.raft_protocol

    @property
    def config(self) -> Mapping[str, Any]:
        return self._document

    @property
    def link_faults(self) -> LinkFaults | None:
        return self._live.faults

    @property
    def term(self) -> int:
        return self._live.term

    @property
    def commit_index(self) -> int:
        return self._live.commit_index

    def status(self) -> dict[str, Any]:
        return {"cluster_id": self._cluster_id, **self._live.status()}

    def members(self) -> list[dict[str, Any]]:
        return self._live.members()

    def metrics(self) -> dict[str, Any]:
        return self._metrics.view(self._live.status(measured=False), self._http.connections)

    def term_and_commit(self) -> tuple[int, int]:
        return self._live.term_and_commit()

    def wall_ns(self) -> int:
        return time.time_ns()

    def client_request(self, request: Request, done: Callable[[Outcome], None]) -> None:
        self._live.client_request(request, done)
