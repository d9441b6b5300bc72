"""The events of the contract, on python-socketio from 4 on.

A handler that returns nothing acknowledges without arguments.
"""
import asyncio
import inspect
import re
from urllib.parse import parse_qsl

from socketio.exceptions import ConnectionRefusedError


class Dynamic:
    """The namespaces that exist besides those with handlers, for releases from 5 on.

    `/dynamic-<digits>` gets its own when first asked for.
    """

    def __init__(self, sio):
        self.sio = sio

    def __contains__(self, namespace):
        known = re.fullmatch(r'/dynamic-[0-9]+', namespace) is not None
        if known:
            register(self.sio, namespace)
        return known


def refuse(sio, namespace, *reason):
    @sio.on('connect', namespace=namespace)
    async def connect(*_):
        raise ConnectionRefusedError(*reason)


async def settled(result):
    """What is a coroutine in one release is done already in another."""
    return await result if inspect.isawaitable(result) else result


def register(sio, namespace):
    auths = {}

    def on(event):
        return sio.on(event, namespace=namespace)

    async def emit(event, args, **to):
        await sio.emit(event, tuple(args), namespace=namespace, **to)  # a tuple is several arguments

    def rooms(sid):
        return sorted(room for room in sio.rooms(sid, namespace=namespace) if room not in (None, sid))

    def members(room):
        if room not in sio.manager.rooms.get(namespace, {}):
            return []
        # From 5 on, a member comes with the id of its connection.
        return [member[0] if isinstance(member, tuple) else member
                for member in sio.manager.get_participants(namespace, room)]

    def connection_of(sid):
        ids = getattr(sio.manager, 'eio_sid_from_sid', None)
        return ids(sid, namespace) if ids else sid

    def environ_of(sid):
        return sio.get_environ(sid, namespace=namespace) if hasattr(sio, 'get_environ') else sio.environ[sid]

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
        await settled(sio.enter_room(sid, room, namespace=namespace))
        return (rooms(sid),)

    @on('leave')
    async def leave(sid, room):
        await settled(sio.leave_room(sid, room, namespace=namespace))
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
        connection = connection_of(sid)
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
        environ = environ_of(sid)
        headers = {key[5:].lower().replace('_', '-'): value
                   for key, value in environ.items() if key.startswith('HTTP_')}
        query = dict(parse_qsl(environ.get('QUERY_STRING', ''), keep_blank_values=True))
        return {'query': query, 'headers': headers, 'auth': auths.get(sid)}

    @on('disconnect')
    async def disconnect(sid, *reason):
        auths.pop(sid, None)
        await settled(sio.enter_room(sid, 'departed', namespace=namespace))
