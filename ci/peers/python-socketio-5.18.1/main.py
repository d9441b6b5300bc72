"""The contract application on python-socketio 5. `contract` says what happens to an event, `server` runs it."""
import socketio

import contract
import server

OPTIONS = {
    'async_mode': 'asgi',
    'ping_interval': 1,  # the package announces whole seconds
    'ping_timeout': 0.5,  # its one thread can be behind by 200 ms when all cases run at once
    'max_http_buffer_size': 1_000_000,
    'cors_allowed_origins': ['http://allowed.example'],
}

sio = socketio.AsyncServer(**OPTIONS)
sio.namespaces = contract.Dynamic(sio)
contract.register(sio, '/')
contract.register(sio, '/custom')
contract.refuse(sio, '/forbidden', 'not authorized', {'reason': 'forbidden'})
server.run(sio, **OPTIONS)
