"""Runs applications of python-socketio and python-engineio under uvicorn.

PORT may be 0 for a free one. Prints one line when it listens:

    {"listening":"http://127.0.0.1:41007"}
"""
import asyncio
import json
import os

import engineio
import socketio
import uvicorn


def run(sio, **options):
    """`sio` on its path, and raw Engine.IO with these options on `/engine.io/`."""
    eio = engineio.AsyncServer(**options)

    @eio.on('message')
    async def message(sid, data):
        await eio.send(sid, data)

    asyncio.run(Server(uvicorn.Config(
        socketio.ASGIApp(sio, engineio.ASGIApp(eio, engineio_path='engine.io')),
        host='127.0.0.1',
        port=int(os.environ.get('PORT', 0)),
        lifespan='off',
        log_level='warning',
        timeout_graceful_shutdown=1,
    )).serve())


class Server(uvicorn.Server):
    """Says where it listens, once it does."""

    async def startup(self, sockets=None):
        await super().startup(sockets=sockets)
        port = self.servers[0].sockets[0].getsockname()[1]
        print(json.dumps({'listening': f'http://127.0.0.1:{port}'}), flush=True)
