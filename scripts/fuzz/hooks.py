"""What the generated requests need to know of this relay: ids that exist, and what its door repairs."""

import copy
import json
import os
import re
import uuid

import jsonschema_rs
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis.core.parameters import ParameterLocation as At

WORLD = json.loads(os.environ["FUZZ_WORLD"])

HOSTS = st.from_regex(r"[a-z][a-z0-9]{0,20}\.example", fullmatch=True)
schemathesis.openapi.format("uri", HOSTS.map(lambda host: f"https://{host}/media/1"))
schemathesis.openapi.format("time-zone", st.sampled_from(["Asia/Jakarta", "Asia/Makassar", "Europe/Berlin", "UTC"]))

# These end what the others need, so they get a tenant of their own.
OWNERS = {
    "deleteTenant": WORLD["spareOwner"],
    "putTenant": WORLD["spareOwner"],
    "rotateCredentials": WORLD["spareOwner"],
    "deskWebhook": WORLD["zendeskOwner"],
    "connectChatwoot": WORLD["chatwootOwner"],
}


@schemathesis.hook
def before_call(context, case, kwargs):
    operation = case.operation.definition.raw["operationId"]
    known = {
        "ingressKey": WORLD["ingressKey"],
        "owner": OWNERS.get(operation, WORLD["owner"]),
        "ticketNumber": WORLD["ticketNumber"],
        "contactId": WORLD["contactId"],
        "deskType": "zendesk",
        "reference": WORLD["mediaReference"],
    }
    if not case.meta.is_negative_at(At.PATH):
        replace(case.path_parameters, known)
    if not case.meta.is_negative_at(At.QUERY):
        replace(case.query, {name: known[name] for name in ("owner", "ticketNumber")})
    if not case.meta.is_negative_at(At.BODY) and isinstance(case.body, dict):
        # Of a record it has to be the one in the path, which a schema cannot say.
        replace(case.body, {name: known[name] for name in ("owner", "ticketNumber")})
        if operation == "signIn":
            case.body["token"] = WORLD["operatorToken"]
        if operation == "connectChatwoot":
            replace(case.body, WORLD["chatwoot"])
        if operation == "deskWebhook":
            case.body = zendesk_batch(case.body)
    if not case.meta.is_negative_at(At.HEADER):
        replace(case.headers, {"Range": "bytes=1-2"})
        # Repeated for another body, a key is rightly refused.
        replace(case.headers, {name: str(uuid.uuid4()) for name in ("Idempotency-Key", "webhook-id")})
    if "__Host-relay_session" in case.cookies:
        # Over plain http the cookie has another name.
        session = sign_in() if operation == "signOut" else WORLD["session"]
        case.headers["Cookie"] = f"relay_session={session}"
        case.headers["Sec-Fetch-Site"] = "same-origin"


def replace(values, known):
    for name in set(values or ()) & set(known):
        if values[name] is not None:
            values[name] = known[name]


def zendesk_batch(content):
    """A webhook as Zendesk sends it: whatever was generated is what the agent has sent."""
    event = copy.deepcopy(WORLD["zendeskEvent"])
    event["id"] = str(uuid.uuid4())
    event["payload"]["message"]["content"].update(content)
    return {"events": [event]}


def sign_in():
    answer = requests.post(f"{WORLD['url']}/console/session", json={"token": WORLD["operatorToken"]}, timeout=30)
    return answer.cookies["relay_session"]


@schemathesis.hook
def filter_failure(context, failure, case, response):
    """Only of what was taken against the description, and only these two: all else is a finding."""
    if type(failure).__name__ != "AcceptedNegativeData":
        return True
    if case.meta.is_negative_at(At.BODY):
        return not is_repaired(case)
    if case.meta.is_negative_at(At.HEADER):
        # Beside an Idempotency-Key the relay does not read an unsigned request's webhook-id.
        return not 1 <= len(case.headers.get("Idempotency-Key", "")) <= 256
    return True


def is_repaired(case):
    """Whether the event became a good one when it was repaired. No description can say that of `null` or a number."""
    if not isinstance(case.body, dict):
        return False
    media = case.operation.definition.raw["requestBody"]["content"]["application/json"]
    document = {**media["schema"], "components": case.operation.schema.raw_schema["components"]}
    return jsonschema_rs.is_valid(document, repaired(case.body))


TEXTS = "accountId contactId message mediaLink customerName createdDate groupId language".split()


def repaired(body):
    """As docs/protocol.md has it under "Repair"."""
    fields = {name: as_text(value) if name in TEXTS else value for name, value in body.items()}
    return {name: clean(value) if isinstance(value, str) else value for name, value in fields.items()}


def as_text(value):
    if value is None:
        return ""
    return json.dumps(value) if isinstance(value, (bool, int, float)) else value


def clean(text):
    return re.sub(r"[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text)
