"""MQTT 3.1.1: the main connection and the bulk connection. Section 1 of docs/protocol.md.

Each link has a thread of its own, and gives what happens to one queue that the controller empties.
Only that thread touches the connection: neither paho's loop nor a TLS connection may be written to by
one thread while another reads. A message is not acknowledged to the broker before it was handled:
what the controller holds is durable by then.
"""

import queue
import random
import ssl
import sys
import threading
import time

import paho.mqtt.client as mqtt

KEEP_ALIVE_S = 30
WAIT_S_MIN = 0.25
STEADY_S = 10  # a connection that was up for so long begins anew
LOOK_S = 0.02  # how long what is to be sent may wait for its turn
RETURN_S_MAX = 5  # those who lost a broker at once come back spread over this

# X509_V_FLAG_NO_CHECK_TIME: a device that wakes in 1970 must connect to learn the time.
NO_CHECK_TIME = 0x200000


def tls_context(tls):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(tls["ca"])
    context.verify_flags = ssl.VerifyFlags(context.verify_flags | NO_CHECK_TIME)
    if tls["certificate"]:
        context.load_cert_chain(tls["certificate"], tls["key"])
    return context


class Event:
    """Something that happened on a link."""

    def __init__(self, link, what, topic=None, payload=None):
        self.link, self.what, self.topic, self.payload = link, what, topic, payload
        self.handled = threading.Event()


class Link(threading.Thread):
    """One connection that is made again for as long as it is wanted."""

    def __init__(self, config, client_id, events, clean):
        super().__init__(daemon=True)
        self.config, self.events = config, events
        self.wanted, self.connected = threading.Event(), False
        self.before_connect = lambda client: None
        self.refused = False
        self.sure_time = lambda: 0  # seconds that have surely passed, by what the station signed
        self.mids = {}  # SUBSCRIBE on its way -> topic
        self.outbox = queue.SimpleQueue()  # what the thread of this link shall do
        # paho 2 asks which form of callbacks is meant; paho 1 knows one only.
        forms = getattr(mqtt, "CallbackAPIVersion", None)
        form = [forms.VERSION2] if forms else []
        self.client = mqtt.Client(
            *form, client_id=client_id, clean_session=clean, protocol=mqtt.MQTTv311
        )
        self.client.username_pw_set(config.controller, config.password or None)
        if config.tls:
            self.client.tls_set_context(tls_context(config.tls))
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.on_subscribe = self._on_subscribe

    def run(self):
        wait = WAIT_S_MIN
        while True:
            self.wanted.wait()
            begun = time.monotonic()
            was_steady = self._hold() and time.monotonic() >= begun + STEADY_S
            longest = self.config.reconnect_max_s
            if self.refused:
                pause = longest * random.uniform(0.5, 1.0)
            elif was_steady:
                wait, pause = WAIT_S_MIN, random.uniform(0, min(RETURN_S_MAX, longest))
            else:
                pause, wait = wait * random.uniform(0.5, 1.0), min(wait * 2, longest)
            if self.wanted.is_set():
                threading.Event().wait(pause)

    def _hold(self):
        """One connection, from its beginning to its end. Returns whether it was up at all."""
        self.refused, was_up = False, False
        self.before_connect(self.client)
        try:
            self.client.connect(self.config.host, self.config.port, KEEP_ALIVE_S)
            self._check_end()
            while self.client.loop(timeout=LOOK_S) == mqtt.MQTT_ERR_SUCCESS:
                was_up = was_up or self.connected
                self._send_waiting()
                if not self.wanted.is_set():
                    self.client.disconnect()
        except ssl.SSLError as error:
            # A certificate is refused, ours or the broker's: a person has to act first.
            self.refused = True
            print(f"TLS: {error}", file=sys.stderr, flush=True)
        except OSError:
            pass
        if self.connected:
            self.connected = False
            self._tell("down")
        self.mids.clear()
        return was_up

    def _send_waiting(self):
        """What waited through a loss is lost with it, as if it had been sent."""
        while not self.outbox.empty():
            send = self.outbox.get()
            if self.connected:
                send()

    def _check_end(self):
        """The broker's certificate, by the newest time that the station has signed."""
        if self.config.tls:
            ends = ssl.cert_time_to_seconds(self.client.socket().getpeercert()["notAfter"])
            if ends < self.sure_time():
                self.client.disconnect()
                raise ssl.SSLError("the broker's certificate has ended")

    def subscribe(self, topic, qos=1):
        def send():
            result, mid = self.client.subscribe(topic, qos)
            if result == mqtt.MQTT_ERR_SUCCESS:
                self.mids[mid] = topic

        self.outbox.put(send)

    def unsubscribe(self, topic):
        self.outbox.put(lambda: self.client.unsubscribe(topic))

    def publish(self, topic, payload, retain):
        """Whether the link took it. Nothing is queued for a link that is down."""
        if not self.connected:
            return False
        self.outbox.put(lambda: self.client.publish(topic, payload, 1, retain))
        return True

    def _tell(self, what, topic=None, payload=None):
        event = Event(self, what, topic, payload)
        self.events.put(event)
        return event

    def _on_connect(self, *arguments):
        if arguments[3] == 0:
            self.connected = True
            self._tell("up")
        else:
            self.refused = True

    def _on_message(self, _client, _data, message):
        self._tell("message", message.topic, message.payload).handled.wait()

    def _on_subscribe(self, *arguments):
        topic = self.mids.pop(arguments[2], None)
        granted = all(getattr(code, "value", code) < 0x80 for code in arguments[3])
        if topic and granted:
            self._tell("subscribed", topic)
