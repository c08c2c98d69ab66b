"""The application: settings → create_app → lifespan → app.state."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Depends, FastAPI, Request
from fastapi.responses import Response
from starlette.exceptions import HTTPException

from models.errors import DamagedBundle
from serving.gate import Gate
from serving.logs import failed, note
from serving.problems import MEDIA_TYPE, Problem, bug
from serving.security import KeysUnreadable
from serving.service import Service
from serving.settings import Settings
from serving.supervisor import PARENT
from serving.waiting import ready

PROBED = ["GET", "HEAD"]
"""Of what monitors ask for."""


def service_of(request: Request) -> Service:
    """The running service."""
    service: Service = request.app.state.service
    return service


Running = Annotated[Service, Depends(service_of)]


def create_app(settings: Settings) -> Gate:
    """The service behind its gate. No model, no start: the lifespan raises DamagedBundle where the bundle does not
    prove itself."""
    service = Service.of(settings)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if service.store.current is None:
            await asyncio.to_thread(service.load)
        watching = asyncio.create_task(_watch(service))
        with service.working():
            yield
        watching.cancel()

    app = FastAPI(title="leadscore", lifespan=lifespan, openapi_url=None, docs_url=None, redoc_url=None,
                  redirect_slashes=False)  # fmt: skip
    app.state.service = service
    app.add_exception_handler(Problem, _told)
    app.add_exception_handler(HTTPException, _refused)
    app.add_exception_handler(Exception, _failed)  # the gate has it, too, and logs it
    _add_routes(app)
    return Gate(app, service)


async def _watch(service: Service) -> None:
    """Look at the file of keys now and then: a revoked key is of no use a second later. And at the supervisor: a
    worker whose supervisor has died stops, or nobody could ever stop it."""
    while True:
        await asyncio.sleep(1)
        if PARENT in os.environ and os.getppid() != int(os.environ[PARENT]) and not service.draining:
            note("supervisor gone", "error")
            os.kill(os.getpid(), signal.SIGTERM)
        try:
            service.guard.refresh()
        except (KeysUnreadable, OSError) as error:
            note("keys not read", "error", why=str(error))
        except Exception as error:  # a bug of ours: keys are looked at all the same from then on
            failed(error)


def _add_routes(app: FastAPI) -> None:
    @app.api_route("/livez", methods=PROBED)
    async def live() -> dict[str, str]:
        return {"status": "alive"}

    @app.api_route("/readyz", methods=PROBED)
    async def readiness(service: Running) -> dict[str, str]:
        if service.draining:
            raise Problem(503, "draining", "the service is stopping", {"Retry-After": "5"})
        return {"status": "ready", "model_version": ready(service.store).bundle.version}

    @app.api_route("/metrics", methods=PROBED)
    async def metrics(service: Running) -> Response:
        return Response(service.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")

    @app.get("/v1/model")
    async def model(service: Running) -> Response:
        return Response(ready(service.store).description, media_type="application/json")

    @app.post("/v1/model/reload")
    async def reload(service: Running) -> dict[str, str]:
        try:
            found = await asyncio.to_thread(service.load)
        except DamagedBundle as error:
            note("bundle refused", "error", why=str(error), pid=os.getpid())
            raise Problem(409, "damaged-bundle", "the bundle is not usable; the model before it goes on") from error
        if PARENT in os.environ:
            os.kill(int(os.environ[PARENT]), signal.SIGHUP)
        return {"model_version": found.bundle.version, "model_digest": found.bundle.digest}

    @app.get("/v1/openapi.json")
    async def openapi(service: Running) -> Response:
        return Response(ready(service.store).openapi, media_type="application/json")


async def _told(_: Request, error: Exception) -> Response:
    assert isinstance(error, Problem)  # noqa: S101, what it is registered for
    return _response(error)


async def _failed(_: Request, __: Exception) -> Response:
    return _response(bug())


async def _refused(_: Request, error: Exception) -> Response:
    """Not by this method."""
    assert isinstance(error, HTTPException)  # noqa: S101, what it is registered for
    return _response(Problem(error.status_code, "method", "not by this method", dict(error.headers or {})))


def _response(problem: Problem) -> Response:
    return Response(problem.body(), problem.status, problem.headers, MEDIA_TYPE.decode())
