"""MQTT 3.1.1: the main connection and the bulk connection. Section 1 of docs/protocol.md.

Each link has a thread of its own, and gives what happens to one queue that the controller empties.
A message is not acknowledged to the broker before it was handled: what the controller holds is
durable by then.
"""

import random
import threading

import paho.mqtt.client as mqtt

KEEP_ALIVE_S = 30
WAIT_S_MIN = 0.25


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
        self.mids, self.mids_lock = {}, threading.Lock()  # SUBSCRIBE on its way -> topic
        # paho 2 asks which form of callbacks is meant; paho 1 knows one only.
        forms = getattr(mqtt, "CallbackAPIVersion", None)
        form = [forms.VERSION2] if forms else []
        self.client = mqtt.Client(
            *form, client_id=client_id, clean_session=clean, protocol=mqtt.MQTTv311
        )
        self.client.username_pw_set(config.controller, config.password)
        self.client.on_connect = self._on_connect
        self.client.on_message = self._on_message
        self.client.on_subscribe = self._on_subscribe

    def run(self):
        wait = WAIT_S_MIN
        while True:
            self.wanted.wait()
            wait = WAIT_S_MIN if self._hold() else min(wait * 2, self.config.reconnect_max_s)
            if self.refused:
                wait = self.config.reconnect_max_s
            if self.wanted.is_set():
                threading.Event().wait(wait * random.uniform(0.5, 1.0))

    def _hold(self):
        """One connection, from its beginning to its end. Returns whether it was up at all."""
        self.refused, was_up = False, False
        self.before_connect(self.client)
        try:
            self.client.connect(self.config.host, self.config.port, KEEP_ALIVE_S)
            while self.client.loop(timeout=0.2) == mqtt.MQTT_ERR_SUCCESS:
                was_up = was_up or self.connected
                if not self.wanted.is_set():
                    self.client.disconnect()
        except OSError:
            pass
        if self.connected:
            self.connected = False
            self._tell("down")
        self.mids.clear()
        return was_up

    def subscribe(self, topic, qos=1):
        with self.mids_lock:
            result, mid = self.client.subscribe(topic, qos)
            if result == mqtt.MQTT_ERR_SUCCESS:
                self.mids[mid] = topic

    def unsubscribe(self, topic):
        self.client.unsubscribe(topic)

    def publish(self, topic, payload, retain):
        """Whether the link took it. Nothing is queued for a link that is down."""
        if not self.connected:
            return False
        return self.client.publish(topic, payload, 1, retain).rc == mqtt.MQTT_ERR_SUCCESS

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
        with self.mids_lock:
            topic = self.mids.pop(arguments[2], None)
        granted = all(getattr(code, "value", code) < 0x80 for code in arguments[3])
        if topic and granted:
            self._tell("subscribed", topic)
