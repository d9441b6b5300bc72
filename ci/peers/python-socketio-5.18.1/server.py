"""The contract application on python-socketio 5, under uvicorn. `contract` says what happens to an event.

PORT may be 0 for a free one. Prints one line when it listens:

    {"listening":"http://127.0.0.1:41007"}
"""
import asyncio
import json
import os

import engineio
import socketio
import uvicorn

import contract

OPTIONS = {
    'async_mode': 'asgi',
    'ping_interval': 1,  # the package announces whole seconds
    'ping_timeout': 0.5,  # its one thread can be behind by 200 ms when all cases run at once
    'max_http_buffer_size': 1_000_000,
    'cors_allowed_origins': ['http://allowed.example'],
}


def application():
    sio = socketio.AsyncServer(**OPTIONS)
    sio.namespaces = contract.Dynamic(sio)
    contract.register(sio, '/')
    contract.register(sio, '/custom')
    contract.refuse(sio, '/forbidden')

    eio = engineio.AsyncServer(**OPTIONS)

    @eio.on('message')
    async def message(sid, data):
        await eio.send(sid, data)

    return socketio.ASGIApp(sio, engineio.ASGIApp(eio, engineio_path='engine.io'))


class Server(uvicorn.Server):
    """Says where it listens, once it does."""

    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        print(json.dumps({'listening': f'http://127.0.0.1:{port}'}), flush=True)


asyncio.run(Server(uvicorn.Config(
    application(),
    host='127.0.0.1',
    port=int(os.environ.get('PORT', 0)),
    lifespan='off',
    log_level='warning',
    timeout_graceful_shutdown=1,
)).serve())
