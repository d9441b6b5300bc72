"""The contract application on python-socketio 4. `contract` says what happens to an event, `server` runs it."""
import asyncio

import socketio

import contract
import server

# The packages give coroutines to asyncio.wait(), which Python refuses from 3.11 on: every broadcast would fail.
wait = asyncio.wait
asyncio.wait = lambda several, **options: wait([asyncio.ensure_future(one) for one in several], **options)

OPTIONS = {
    'async_mode': 'asgi',
    # The second is how much longer than the first a client that polls may be silent.
    'ping_interval': (0.3, 1),
    # A client on a WebSocket may be silent for so long alone, so it has to be more than the interval.
    'ping_timeout': 1,
    'max_http_buffer_size': 1_000_000,
    'cors_allowed_origins': ['http://allowed.example'],
}

sio = socketio.AsyncServer(**OPTIONS)
contract.register(sio, '/')
contract.register(sio, '/custom')
contract.refuse(sio, '/forbidden', 'not authorized')
server.run(sio, **OPTIONS)
