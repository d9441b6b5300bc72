"""The events of the contract. A handler that returns nothing acknowledges without arguments."""
import asyncio
import re
from urllib.parse import parse_qsl

from socketio.exceptions import ConnectionRefusedError


class Dynamic:
    """The namespaces that exist besides those with handlers: `/dynamic-<digits>` gets its own when first asked for."""

    def __init__(self, sio):
        self.sio = sio

    def __contains__(self, namespace):
        known = re.fullmatch(r'/dynamic-[0-9]+', namespace) is not None
        if known:
            register(self.sio, namespace)
        return known


def refuse(sio, namespace):
    @sio.on('connect', namespace=namespace)
    async def connect(*_):
        raise ConnectionRefusedError('not authorized', {'reason': 'forbidden'})


def register(sio, namespace):
    auths = {}

    def on(event):
        return sio.on(event, namespace=namespace)

    async def emit(event, args, **to):
        await sio.emit(event, tuple(args), namespace=namespace, **to)  # a tuple is several arguments

    def rooms(sid):
        return sorted(room for room in sio.rooms(sid, namespace=namespace) if room not in (None, sid))

    def members(room):
        return [member[0] for member in sio.manager.get_participants(namespace, room)] if known(room) else []

    def known(room):
        return room in sio.manager.rooms.get(namespace, {})

    @on('connect')
    async def connect(sid, environ, auth=None):
        auths[sid] = {} if auth is None else auth

        # What a connect handler emits itself leaves before the CONNECT packet.
        async def greet():
            await emit('auth', [auths.get(sid, {})], to=sid)

        sio.start_background_task(greet)

    @on('message')
    async def message(sid, *args):
        await emit('message-back', args, to=sid)

    @on('message-with-ack')
    async def message_with_ack(sid, *args):
        return args

    @on('join')
    async def join(sid, room):
        await sio.enter_room(sid, room, namespace=namespace)
        return (rooms(sid),)

    @on('leave')
    async def leave(sid, room):
        await sio.leave_room(sid, room, namespace=namespace)
        return (rooms(sid),)

    @on('broadcast')
    async def broadcast(sid, event, *args):
        await emit(event, args, skip_sid=sid)

    @on('all')
    async def everybody(sid, event, *args):
        await emit(event, args)

    @on('to')
    async def to(sid, room, event, *args):
        await emit(event, args, room=room, skip_sid=sid)

    @on('in')
    async def within(sid, room, event, *args):
        await emit(event, args, room=room)

    @on('except')
    async def but(sid, room, event, *args):
        await emit(event, args, skip_sid=members(room))  # sockets can be left out, rooms cannot

    # There is no volatile event in the package, so there is none here.

    @on('ask')
    async def ask(sid, *args):
        async def answered(*answer):
            await emit('answer', answer, to=sid)

        await emit('question', args, to=sid, callback=answered)

    @on('ask-timeout')
    async def ask_timeout(sid, ms):
        answer = asyncio.get_running_loop().create_future()

        def answered(*args):
            if not answer.done():
                answer.set_result(args)

        async def wait():
            try:
                await emit('answer', await asyncio.wait_for(answer, ms / 1000), to=sid)
            except asyncio.TimeoutError:
                await emit('answer-timeout', (), to=sid)

        await emit('question', (), to=sid, callback=answered)
        sio.start_background_task(wait)

    @on('binary')
    async def binary(sid, n):
        await emit('binary', [{'part': k, 'data': bytes([1, 2, 3, k])} for k in range(n)], to=sid)

    @on('burst')
    async def burst(sid, n, event, *payload):
        for k in range(n):
            await emit(event, (k, *payload), to=sid)

    @on('disconnect-me')
    async def disconnect_me(sid, close=False):
        connection = sio.manager.eio_sid_from_sid(sid, namespace)
        await sio.disconnect(sid, namespace=namespace)
        if close is True:
            await sio.eio.disconnect(connection)

    @on('last-words')
    async def last_words(sid, n, event, close=False):
        await burst(sid, n, event)
        await disconnect_me(sid, close)

    @on('count')
    async def count(sid, room):
        return len(members(room))

    @on('handshake')
    async def handshake(sid):
        environ = sio.get_environ(sid, namespace=namespace)
        headers = {key[5:].lower().replace('_', '-'): value
                   for key, value in environ.items() if key.startswith('HTTP_')}
        query = dict(parse_qsl(environ.get('QUERY_STRING', ''), keep_blank_values=True))
        return {'query': query, 'headers': headers, 'auth': auths.get(sid)}

    @on('disconnect')
    async def disconnect(sid, reason):
        auths.pop(sid, None)
        await sio.enter_room(sid, 'departed', namespace=namespace)
