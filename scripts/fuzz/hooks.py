"""What the generated requests need to know of this relay: ids that exist, and what its door repairs."""

import json
import os

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
    }
    if not case.meta.is_negative_at(At.PATH):
        replace(case.path_parameters, known)
    if not case.meta.is_negative_at(At.QUERY):
        replace(case.query, {name: known[name] for name in ("owner", "ticketNumber")})
    if not case.meta.is_negative_at(At.BODY) and isinstance(case.body, dict):
        # Of a record it has to be the one in the path, which a schema cannot say.
        replace(case.body, {name: known[name] for name in ("owner", "ticketNumber")})
    if "__Host-relay_session" in case.cookies:
        # Over plain http the cookie has another name.
        session = sign_in() if operation == "signOut" else WORLD["session"]
        case.headers["Cookie"] = f"relay_session={session}"
        case.headers["Sec-Fetch-Site"] = "same-origin"


def replace(values, known):
    for name in set(values or ()) & set(known):
        if values[name] is not None:
            values[name] = known[name]


def sign_in():
    answer = requests.post(f"{WORLD['url']}/console/session", json={"token": WORLD["operatorToken"]}, timeout=30)
    return answer.cookies["relay_session"]
